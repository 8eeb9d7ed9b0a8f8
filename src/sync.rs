//! Locks and the one-shot completion that every eager handle waits for.
//!
//! One alias for the primitives, so that a model checker can stand in for them.

use std::fmt;
use std::pin::Pin;
use std::sync::{OnceLock, PoisonError};
use std::task::{Context, Poll};

use event_listener::{Event, EventListener};

pub(crate) use std::sync::{MutexGuard, atomic};

/// A `std` mutex that ignores poisoning.
///
/// No state behind one of our locks is left half-written by a panic: each guarded section moves
/// whole values.
pub(crate) struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }
}

impl<T: ?Sized> Mutex<T> {
    #[expect(clippy::disallowed_methods, reason = "the one place that locks")]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that is set once and that any number of tasks and threads can wait for.
///
/// The value is the durable fact; the event is only the wake-up.
pub(crate) struct Completion<T> {
    value: OnceLock<T>,
    done: Event,
}

impl<T> Completion<T> {
    pub(crate) const fn new() -> Self {
        Self { value: OnceLock::new(), done: Event::new() }
    }

    /// Sets the value unless it is set already; says whether it did.
    pub(crate) fn set(&self, value: T) -> bool {
        let first = self.value.set(value).is_ok();
        if first {
            self.done.notify(usize::MAX);
        }
        first
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.get()
    }

    pub(crate) async fn wait(&self) -> &T {
        let mut listener = None;
        std::future::poll_fn(|cx| self.poll(&mut listener, cx)).await
    }

    /// Polls with a listener that the caller keeps between polls.
    pub(crate) fn poll<'a>(
        &'a self,
        listener: &mut Option<EventListener>,
        cx: &mut Context<'_>,
    ) -> Poll<&'a T> {
        loop {
            if let Some(value) = self.value.get() {
                *listener = None;
                return Poll::Ready(value);
            }
            match listener {
                // Registered before the value is read again, so no wake-up is lost.
                None => *listener = Some(self.done.listen()),
                Some(waiting) => match Future::poll(Pin::new(waiting), cx) {
                    Poll::Ready(()) => *listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

impl<T> Default for Completion<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Completion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Completion").field(&self.value.get()).finish()
    }
}
