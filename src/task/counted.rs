//! Tasks that are counted, but have no record.
//!
//! The count of a group lies in memory that is never freed, but is reused by other groups. A
//! counted task therefore needs no reference count: it costs one addition when it starts, and one
//! subtraction when it ends.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Event, EventListener, Pool, wake_all};
use crate::task_info::CountedTasks;

/// The number of counted tasks of a group.
pub(super) struct Count {
    /// [`ONE`] for each task that has not ended, plus the flags.
    state: AtomicUsize,
    /// Notified when the last task ends.
    idle: Event,
}

/// One task in [`Count::state`].
const ONE: usize = 8;
/// Flag: a future waits for the last task to end.
const AWAITED: usize = 1;
/// Flag: new tasks are refused.
const CANCELLED: usize = 2;
/// Flag: the group is gone, so the last task to end returns the memory to the pool.
const RELEASED: usize = 4;

static POOL: Pool<Count> = Pool::new();

impl Count {
    fn new() -> Self {
        Self { state: AtomicUsize::new(0), idle: Event::new() }
    }

    /// Counts a task that starts, or returns `None` if new tasks are refused.
    #[inline]
    pub(super) fn add(&'static self) -> Option<Counted> {
        let taken = self.state.fetch_add(ONE, Ordering::AcqRel) & CANCELLED == 0;
        let counted = Counted(self);
        taken.then_some(counted)
    }

    pub(super) fn len(&self) -> usize {
        self.state.load(Ordering::Acquire) / ONE
    }

    /// Refuses new tasks from now on.
    pub(super) fn cancel(&self) {
        self.state.fetch_or(CANCELLED, Ordering::AcqRel);
    }

    /// Listens for the last task to end. Read the number of tasks after this call, or the end of
    /// the last task may be missed.
    pub(super) fn listen(&self) -> EventListener {
        let listener = self.idle.listen();
        self.state.fetch_or(AWAITED, Ordering::AcqRel);
        listener
    }

    /// Notifies listeners, if there were any.
    pub(super) fn wake(&self) {
        if self.state.load(Ordering::Acquire) & AWAITED != 0 {
            wake_all(&self.idle);
        }
    }

    /// Handles the end of the last task; `state` is the state before its end.
    #[cold]
    fn last_ended(&'static self, state: usize) {
        if state & RELEASED != 0 {
            self.recycle();
        } else {
            // The memory may be another group's by now. That is harmless: listeners count again.
            wake_all(&self.idle);
        }
    }

    /// Returns the memory to the pool.
    fn recycle(&'static self) {
        self.state.store(0, Ordering::Release);
        POOL.give_back(self);
    }
}

/// A group's reference to its count. When it is dropped, the memory is returned to the pool as soon
/// as the last task has ended.
pub(super) struct Counter(&'static Count);

impl Counter {
    pub(super) fn new() -> Self {
        Self(POOL.take(Count::new))
    }
}

impl CountedTasks for Counter {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Deref for Counter {
    type Target = &'static Count;

    #[inline]
    fn deref(&self) -> &&'static Count {
        &self.0
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.0.state.fetch_or(RELEASED, Ordering::AcqRel) < ONE {
            self.0.recycle();
        }
    }
}

/// Counts one task of a group until it is dropped.
pub(super) struct Counted(&'static Count);

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(ONE, Ordering::AcqRel);
        if before / ONE == 1 && before & (AWAITED | RELEASED) != 0 {
            self.0.last_ended(before);
        }
    }
}

pin_project! {
    /// A future that is counted until it is dropped.
    pub(super) struct Tracked<F> {
        #[pin]
        pub(super) future: F,
        pub(super) _counted: Counted,
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

#[cfg(all(test, not(anypeer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_used_again_only_when_its_group_and_its_last_task_are_gone() {
        let counter = Counter::new();
        let count: *const Count = *counter;
        let (first, second) = (counter.add().expect("taken"), counter.add().expect("taken"));
        drop(first);
        drop(counter);
        // Others take and give back meanwhile: this one is not among what they get.
        let others: Vec<_> = (0..64).map(|_| Counter::new()).collect();
        assert!(!others.iter().any(|other| std::ptr::eq(**other, count)), "a task still counts");
        assert_eq!(second.0.len(), 1);
    }

    #[test]
    fn a_count_that_refuses_counts_nothing() {
        let counter = Counter::new();
        counter.cancel();
        assert!(counter.add().is_none(), "expected it to be refused");
        assert_eq!(counter.len(), 0);
    }
}
