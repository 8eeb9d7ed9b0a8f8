//! Locks and the one-shot completion that every eager handle waits for.
//!
//! One alias for the primitives, so that loom can stand in for them (`--cfg anypeer_loom`, see
//! `loom/`). Statics, which loom does not know, use `std`'s.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};

pub(crate) use self::primitives::{Event, EventListener, MutexGuard, OnceLock, atomic};

#[cfg(not(anypeer_loom))]
mod primitives {
    pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, atomic};

    pub(crate) use event_listener::{Event, EventListener};
}

#[cfg(anypeer_loom)]
#[path = "../loom/src/primitives.rs"]
mod primitives;

/// A `std` mutex that ignores poisoning.
///
/// No state behind one of our locks is left half-written by a panic: each guarded section moves
/// whole values.
pub(crate) struct Mutex<T>(primitives::Mutex<T>);

impl<T> Mutex<T> {
    #[cfg(not(anypeer_loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

    #[cfg(anypeer_loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

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

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Memory that is never freed, only used again: as much as there ever was in use at once.
///
/// In a model it is never used again: what loom stands in for is of one run only.
pub(crate) struct Pool<T: 'static>(std::sync::Mutex<Vec<&'static T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(std::sync::Mutex::new(Vec::new()))
    }

    /// One as it was given back, or a new one.
    pub(crate) fn take(&self, new: impl FnOnce() -> T) -> &'static T {
        let unused = self.unused(Vec::pop);
        unused.unwrap_or_else(|| Box::leak(Box::new(new())))
    }

    pub(crate) fn give_back(&self, unused: &'static T) {
        if cfg!(not(anypeer_loom)) {
            self.unused(|all| all.push(unused));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a static's lock, which loom does not know")]
    fn unused<R>(&self, access: impl FnOnce(&mut Vec<&'static T>) -> R) -> R {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Wakes all that wait. A waker is its executor's code; one that panics must not take down whoever
/// wakes it.
pub(crate) fn wake_all(event: &Event) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| event.notify(usize::MAX)));
}

/// A value that is set once and that any number of tasks and threads can wait for.
///
/// The value is the durable fact; the event is only the wake-up.
pub(crate) struct Completion<T> {
    value: OnceLock<T>,
    done: Event,
}

impl<T> Completion<T> {
    pub(crate) fn new() -> Self {
        Self { value: OnceLock::new(), done: Event::new() }
    }

    /// Sets the value unless it is set already; says whether it did.
    pub(crate) fn set(&self, value: T) -> bool {
        let first = self.value.set(value).is_ok();
        if first {
            wake_all(&self.done);
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
            if let Some(value) = self.get() {
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
