//! The books of a group: which tasks it has, and which of them are to stop.

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

/// Whose tasks they are, and who is told of them.
pub(crate) struct Owner {
    pub(crate) peer: Option<PeerId>,
    pub(crate) watch: Watch,
}

pub(crate) struct Books {
    pub(super) runtime: Runtime,
    owner: Owner,
    pub(super) timed: bool,
    pub(super) token: CancellationToken,
    counted: Arc<Counter>,
    recorded: Mutex<Recorded>,
    /// How many of the recorded ones are to be dropped at their next poll: mostly none, and then
    /// no poll needs the lock.
    stopping: AtomicUsize,
}

#[derive(Default)]
struct Recorded {
    tasks: Slab<TaskRecord>,
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

    /// Those that are only counted.
    #[inline]
    pub(super) fn counted(&self) -> &Arc<Counter> {
        &self.counted
    }

    /// Gives a task its place in the books.
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

    /// Tells a task's end, and strikes the task off the books.
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

    /// Why the task there is to be dropped now, if it is.
    #[inline]
    pub(super) fn is_stopping(&self, place: usize) -> Option<CancelReason> {
        if self.stopping.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.recorded.lock().tasks.get(place).and_then(TaskRecord::stops)
    }

    /// Keeps a waker for whoever asks the task there to stop; says why, if somebody has.
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

    /// Takes note of the beginning of a poll, where polls are timed.
    #[inline]
    pub(super) fn begin_poll(&self, place: usize) {
        if self.timed {
            self.note_poll(place, self.watch().now(), Polls::begin);
        }
    }

    /// Takes note of the end of a poll.
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

    pub(super) fn info(&self, place: usize, id: TaskId) -> Option<TaskInfo> {
        let now = self.watch().now();
        let recorded = self.recorded.lock();
        let record = recorded.tasks.get(place).filter(|record| record.id == id)?;
        Some(self.info_of(record, now))
    }

    /// Has one task dropped at its next poll.
    pub(super) fn abort_one(&self, place: usize, id: TaskId, reason: CancelReason) {
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.get_mut(place).filter(|record| record.id == id);
        let waker = record.and_then(|record| self.cancel_one(record, reason, true));
        drop(recorded);
        wake(waker);
    }

    /// Asks a task to stop, under the lock; the answer is to be woken without it.
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

    pub(super) fn cancel(&self) {
        self.recorded.lock().cancelled = true;
        self.counted.cancel();
        self.stop(false);
        self.token.cancel();
    }

    /// Has every task dropped at its next poll, by `force` also the cooperative ones.
    pub(super) fn stop(&self, force: bool) {
        let mut recorded = self.recorded.lock();
        let tasks = recorded.tasks.iter_mut();
        let wakers: Vec<_> = tasks
            .filter_map(|(_, record)| self.cancel_one(record, CancelReason::Group, force))
            .collect();
        drop(recorded);
        wakers.into_iter().for_each(|waker| wake(Some(waker)));
    }

    /// In one expression: the lock is held while the counted ones are read, so that a counted task
    /// that starts a recorded one as its last act is seen in one place or the other.
    pub(super) fn len(&self) -> usize {
        self.recorded.lock().tasks.len() + self.counted.len()
    }

    pub(crate) fn left(&self) -> StuckTasks {
        StuckTasks { named: self.infos(), unnamed: self.counted.len() }
    }

    pub(super) fn infos(&self) -> Vec<TaskInfo> {
        let now = self.watch().now();
        let recorded = self.recorded.lock();
        recorded.tasks.iter().map(|(_, record)| self.info_of(record, now)).collect()
    }

    /// A reference that keeps neither the group nor its tasks.
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

/// Wakes a task; its executor's waker is any code.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}
