//! Tasks that are counted, no more.
//!
//! A group's count lies in memory that is never freed, only used again by another group. So a
//! counted task needs no reference to its group: it is one addition when it starts and one
//! subtraction when it ends.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Event, EventListener, Pool, wake_all};
use crate::task_info::CountedTasks;

/// How many counted tasks a group has, and who waits for it to have none.
pub(super) struct Count {
    /// [`ONE`] for each task that has not ended, and the flags.
    state: AtomicUsize,
    idle: Event,
}

const ONE: usize = 8;
/// Somebody waits for there to be none.
const AWAITED: usize = 1;
/// There will be no more.
const CANCELLED: usize = 2;
/// The group is gone: who counts the last task down hands the memory on.
const RELEASED: usize = 4;

static POOL: Pool<Count> = Pool::new();

impl Count {
    fn new() -> Self {
        Self { state: AtomicUsize::new(0), idle: Event::new() }
    }

    /// One task more, unless there are to be no more.
    #[inline]
    pub(super) fn add(&'static self) -> Option<Counted> {
        let taken = self.state.fetch_add(ONE, Ordering::AcqRel) & CANCELLED == 0;
        let counted = Counted(self);
        taken.then_some(counted)
    }

    pub(super) fn len(&self) -> usize {
        self.state.load(Ordering::Acquire) / ONE
    }

    /// From now on none is added.
    pub(super) fn cancel(&self) {
        self.state.fetch_or(CANCELLED, Ordering::AcqRel);
    }

    /// Listens for there to be none. It is heard if they are counted after this.
    pub(super) fn listen(&self) -> EventListener {
        let listener = self.idle.listen();
        self.state.fetch_or(AWAITED, Ordering::AcqRel);
        listener
    }

    /// Wakes who listens, if anybody does.
    pub(super) fn wake(&self) {
        if self.state.load(Ordering::Acquire) & AWAITED != 0 {
            wake_all(&self.idle);
        }
    }

    /// The last task has ended, by a state that it left.
    #[cold]
    fn last_ended(&'static self, state: usize) {
        if state & RELEASED != 0 {
            self.recycle();
        } else {
            // It may be another group's by now: whoever is woken counts for itself.
            wake_all(&self.idle);
        }
    }

    fn recycle(&'static self) {
        self.state.store(0, Ordering::Release);
        POOL.give_back(self);
    }
}

/// A group's count, until it is dropped: then its memory is handed on, once there is no task.
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

/// One task of a group's, until it is dropped.
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
