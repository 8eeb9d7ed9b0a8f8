//! The state of a group: its tasks, and which of them are to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::counted::Counter;
use super::record::{Polls, Stop, TaskRecord};
use super::token::CancellationToken;
use crate::event::{EventKind, Watch};
use crate::id::PeerId;
use crate::runtime::Runtime;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::task_info::{
    CancelReason, RecordedTasks, StuckTasks, TaskEnd, TaskId, TaskInfo, WeakTaskGroup,
};

/// The owner of a group, and the observers of the group's tasks.
pub(crate) struct Owner {
    /// The peer that the tasks belong to, if any.
    pub(crate) peer: Option<PeerId>,
    pub(crate) watch: Watch,
}

/// The state of a group.
pub(crate) struct Books {
    pub(super) runtime: Runtime,
    owner: Owner,
    /// Whether polls are timed.
    pub(super) timed: bool,
    pub(super) token: CancellationToken,
    counted: Arc<Counter>,
    recorded: Mutex<Recorded>,
    /// The number of recorded tasks that are to be dropped at their next poll. It is usually zero,
    /// and then a poll does not take the lock.
    stopping: AtomicUsize,
}

/// The tasks that have a record.
#[derive(Default)]
struct Recorded {
    tasks: Slab<TaskRecord>,
    /// Whether the group was cancelled.
    cancelled: bool,
}

impl Books {
    pub(super) fn new(runtime: Runtime, owner: Owner, timed: bool) -> Self {
        Self {
            runtime,
            owner,
            timed,
            token: CancellationToken::new(),
            counted: Arc::new(Counter::new()),
            recorded: Mutex::default(),
            stopping: AtomicUsize::new(0),
        }
    }

    pub(super) fn peer(&self) -> Option<&PeerId> {
        self.owner.peer.as_ref()
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.owner.watch
    }

    /// The count of the tasks that have no record.
    #[inline]
    pub(super) fn counted(&self) -> &Arc<Counter> {
        &self.counted
    }

    /// Adds the record of a task that is about to start, and returns its index. In a group that was
    /// cancelled, the task is dropped at its first poll.
    #[inline]
    pub(super) fn add(&self, record: TaskRecord) -> usize {
        if self.owner.watch.is_attached() {
            let at = record.started;
            let task = &self.info_of(&record, at);
            self.watch().tell_at(at, self.peer(), || EventKind::TaskStarted { task });
        }
        let mut recorded = self.recorded.lock();
        let cancelled = recorded.cancelled;
        let place = recorded.tasks.insert(record);
        if cancelled {
            self.cancel_one(&mut recorded.tasks[place], CancelReason::Group, true);
        }
        place
    }

    /// Reports the end of a task to the observers, and removes its record.
    #[inline]
    pub(super) fn remove(&self, place: usize, end: &TaskEnd) {
        if self.owner.watch.is_attached() {
            let at = self.watch().now();
            if self.timed {
                self.note_poll(place, at, Polls::end);
            }
            let recorded = self.recorded.lock();
            let task = recorded.tasks.get(place).map(|record| self.info_of(record, at));
            drop(recorded);
            if let Some(task) = &task {
                self.watch().tell_at(at, self.peer(), || EventKind::TaskEnded { task, end });
            }
        }
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.try_remove(place);
        let empty = recorded.tasks.is_empty();
        drop(recorded);
        if record.is_some_and(|record| record.stopping) {
            self.stopping.fetch_sub(1, Ordering::AcqRel);
        }
        if empty {
            self.counted.wake();
        }
    }

    /// Returns why the task with this index is to be dropped, or `None` if it is not.
    #[inline]
    pub(super) fn is_stopping(&self, place: usize) -> Option<CancelReason> {
        if self.stopping.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.recorded.lock().tasks.get(place).and_then(TaskRecord::stops)
    }

    /// Keeps a waker of the task with this index, with which the task is woken when it is to stop.
    /// Returns the reason if the task is to stop already.
    pub(super) fn wait(&self, place: usize, waker: &Waker) -> Option<CancelReason> {
        let waker = Some(waker.clone());
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.get_mut(place)?;
        let old = std::mem::replace(&mut record.waker, waker);
        let stops = record.stops();
        drop(recorded);
        drop(old);
        stops
    }

    /// Records the beginning of a poll, if polls are timed.
    #[inline]
    pub(super) fn begin_poll(&self, place: usize) {
        if self.timed {
            self.note_poll(place, self.watch().now(), Polls::begin);
        }
    }

    /// Records the end of a poll, if polls are timed.
    #[inline]
    pub(super) fn end_poll(&self, place: usize) {
        if self.timed {
            self.note_poll(place, self.watch().now(), Polls::end);
        }
    }

    fn note_poll(&self, place: usize, now: Instant, note: fn(&mut Polls, Instant)) {
        if let Some(record) = self.recorded.lock().tasks.get_mut(place) {
            note(&mut record.polls, now);
        }
    }

    fn info_of(&self, record: &TaskRecord, now: Instant) -> TaskInfo {
        record.info(self.peer(), self.timed, now)
    }

    /// Returns information about a task, or `None` if it has ended.
    pub(super) fn info(&self, place: usize, id: TaskId) -> Option<TaskInfo> {
        let now = self.watch().now();
        let recorded = self.recorded.lock();
        let record = recorded.tasks.get(place).filter(|record| record.id == id)?;
        Some(self.info_of(record, now))
    }

    /// Has one task dropped at its next poll, if it has not ended.
    pub(super) fn abort_one(&self, place: usize, id: TaskId, reason: CancelReason) {
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.get_mut(place).filter(|record| record.id == id);
        let waker = record.and_then(|record| self.cancel_one(record, reason, true));
        drop(recorded);
        wake(waker);
    }

    /// Asks a task to stop. This is called under the lock; the caller wakes the returned waker
    /// after releasing it.
    fn cancel_one(
        &self,
        record: &mut TaskRecord,
        reason: CancelReason,
        force: bool,
    ) -> Option<Waker> {
        match record.cancel(reason, force, self.watch().now()) {
            Stop::Asked => None,
            Stop::Forced(waker) => {
                self.stopping.fetch_add(1, Ordering::AcqRel);
                waker
            }
        }
    }

    /// Cancels the group: refuses new tasks, drops tasks at their next poll, and asks cooperative
    /// ones to stop.
    pub(super) fn cancel(&self) {
        self.recorded.lock().cancelled = true;
        self.counted.cancel();
        self.stop(false);
        self.token.cancel();
    }

    /// Has every task dropped at its next poll; cooperative tasks only if `force`.
    pub(super) fn stop(&self, force: bool) {
        let mut recorded = self.recorded.lock();
        let tasks = recorded.tasks.iter_mut();
        let wakers: Vec<_> = tasks
            .filter_map(|(_, record)| self.cancel_one(record, CancelReason::Group, force))
            .collect();
        drop(recorded);
        wakers.into_iter().for_each(|waker| wake(Some(waker)));
    }

    /// The number of tasks that have not ended.
    ///
    /// The lock is held until both numbers are read (it is a temporary of the whole expression). A
    /// counted task that starts a recorded one just before it ends is therefore seen in one of
    /// them.
    pub(super) fn len(&self) -> usize {
        self.recorded.lock().tasks.len() + self.counted.len()
    }

    /// The tasks that have not ended, as the result of waiting for them.
    pub(crate) fn left(&self) -> StuckTasks {
        StuckTasks { named: self.infos(), unnamed: self.counted.len() }
    }

    pub(super) fn infos(&self) -> Vec<TaskInfo> {
        let now = self.watch().now();
        let recorded = self.recorded.lock();
        recorded.tasks.iter().map(|(_, record)| self.info_of(record, now)).collect()
    }

    /// Returns a reference that keeps neither the group nor its tasks alive.
    pub(super) fn downgrade(self: &Arc<Self>) -> WeakTaskGroup {
        let recorded = Arc::downgrade(self);
        WeakTaskGroup::new(recorded, Arc::clone(&self.counted) as _)
    }
}

impl RecordedTasks for Books {
    fn infos(&self) -> Vec<TaskInfo> {
        self.infos()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// Wakes a task. A waker is the code of its executor, whose panic is caught.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}
