//! The record that a group keeps of a task.

use std::panic::Location;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::id::PeerId;
use crate::task_info::{CancelReason, PollTimes, TaskId, TaskInfo};

/// How a task was polled so far.
#[derive(Default)]
pub(super) struct Polls {
    polls: u64,
    busy: Duration,
    longest: Duration,
    /// When the last poll began or ended.
    last: Option<Instant>,
    in_progress: bool,
}

impl Polls {
    pub(super) fn begin(&mut self, now: Instant) {
        self.last = Some(now);
        self.in_progress = true;
    }

    /// Records the end of the poll in progress, if there is one.
    pub(super) fn end(&mut self, now: Instant) {
        if !self.in_progress {
            return;
        }
        let took = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.polls += 1;
        self.busy += took;
        self.longest = self.longest.max(took);
        self.last = Some(now);
        self.in_progress = false;
    }

    fn times(&self, started: Instant, now: Instant) -> PollTimes {
        let Self { polls, busy, longest, last, in_progress } = *self;
        let idle = now.saturating_duration_since(last.unwrap_or(started));
        PollTimes { polls, busy, longest, current: in_progress.then_some(idle), idle }
    }
}

/// The record of a task that has not ended.
pub(super) struct TaskRecord {
    pub(super) id: TaskId,
    pub(super) name: &'static str,
    location: &'static Location<'static>,
    pub(super) started: Instant,
    /// Whether the task is asked to stop before it is dropped.
    cooperative: bool,
    /// Why and when the task was asked to stop, if it was.
    reason: Option<(CancelReason, Instant)>,
    /// Whether the task is to be dropped at its next poll.
    pub(super) stopping: bool,
    /// The waker of the task, once it has been pending.
    pub(super) waker: Option<Waker>,
    pub(super) polls: Polls,
}

impl TaskRecord {
    #[inline]
    pub(super) fn new(
        name: &'static str,
        location: &'static Location<'static>,
        cooperative: bool,
        started: Instant,
    ) -> Self {
        Self {
            id: TaskId::next(),
            name,
            location,
            started,
            cooperative,
            reason: None,
            stopping: false,
            waker: None,
            polls: Polls::default(),
        }
    }

    /// Returns information about the task at `now`; `timed` tells whether its polls are timed.
    pub(super) fn info(&self, peer: Option<&PeerId>, timed: bool, now: Instant) -> TaskInfo {
        TaskInfo {
            id: self.id,
            name: self.name,
            peer: peer.cloned(),
            location: self.location,
            age: now.saturating_duration_since(self.started),
            stopping_for: self.reason.map(|(_, since)| now.saturating_duration_since(since)),
            polls: timed.then(|| self.polls.times(self.started, now)),
        }
    }

    /// Returns why the task is to be dropped, or `None` if it is not.
    pub(super) fn stops(&self) -> Option<CancelReason> {
        self.reason.filter(|_| self.stopping).map(|(reason, _)| reason)
    }

    /// Asks the task to stop, and has it dropped at its next poll unless it is cooperative or if
    /// `force`. The first reason is kept.
    pub(super) fn cancel(&mut self, reason: CancelReason, force: bool, now: Instant) -> Stop {
        self.reason.get_or_insert((reason, now));
        if self.stopping || (self.cooperative && !force) {
            return Stop::Asked;
        }
        self.stopping = true;
        Stop::Forced(self.waker.take())
    }
}

/// The result of asking a task to stop.
pub(super) enum Stop {
    /// The task is cooperative and stops by itself, or is to be dropped already.
    Asked,
    /// The task is dropped at its next poll. The caller has to wake it.
    Forced(Option<Waker>),
}
