//! Locks and the one-shot completion that every eager handle waits for.
//!
//! The primitives come from one place, so that loom can replace them in models
//! (`--cfg anypeer_loom`, see `loom/`). Statics use the primitives of `std`, since loom does not
//! support statics.

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
/// Ignoring poisoning is sound here, because no section under one of these locks can leave its
/// state half-written when it panics: each section only moves whole values.
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

    /// Locks the mutex, also after a panic of a thread that held the lock.
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

/// Values in memory that is never freed and only reused, so that references to them are `'static`.
/// The pool grows to the largest number of values that were ever in use at once.
///
/// In a loom model no value is reused, since a loom primitive belongs to one run of the model.
pub(crate) struct Pool<T: 'static>(std::sync::Mutex<Vec<&'static T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(std::sync::Mutex::new(Vec::new()))
    }

    /// Takes an unused value as it was given back, or makes a new one.
    pub(crate) fn take(&self, new: impl FnOnce() -> T) -> &'static T {
        let unused = self.unused(Vec::pop);
        unused.unwrap_or_else(|| Box::leak(Box::new(new())))
    }

    /// Gives a value back, to be reused.
    pub(crate) fn give_back(&self, unused: &'static T) {
        if cfg!(not(anypeer_loom)) {
            self.unused(|all| all.push(unused));
        }
    }

    /// Runs `access` on the unused values, under their lock.
    #[expect(clippy::disallowed_methods, reason = "a static's lock, which loom does not know")]
    fn unused<R>(&self, access: impl FnOnce(&mut Vec<&'static T>) -> R) -> R {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Wakes all tasks and threads that wait for `event`. A panic of a waker, which is code of its
/// executor, is caught, so that it cannot end the caller.
pub(crate) fn wake_all(event: &Event) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| event.notify(usize::MAX)));
}

/// A value that is set once, and that any number of tasks and threads can wait for.
pub(crate) struct Completion<T> {
    value: OnceLock<T>,
    done: Event,
}

impl<T> Completion<T> {
    pub(crate) fn new() -> Self {
        Self { value: OnceLock::new(), done: Event::new() }
    }

    /// Sets the value and wakes all waiters, unless the value is set already. Returns whether this
    /// call has set it.
    pub(crate) fn set(&self, value: T) -> bool {
        let first = self.value.set(value).is_ok();
        if first {
            wake_all(&self.done);
        }
        first
    }

    /// The value; `None` before it is set.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Completes once the value is set.
    pub(crate) async fn wait(&self) -> &T {
        let mut listener = None;
        std::future::poll_fn(|cx| self.poll(&mut listener, cx)).await
    }

    /// Polls for the value. The caller keeps `listener` between polls.
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
                // The listener is registered before the value is read again, so no wake-up is lost.
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
