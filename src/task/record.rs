//! What a group keeps of a task.

use std::panic::Location;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::id::PeerId;
use crate::task_info::{CancelReason, PollTimes, TaskId, TaskInfo};

/// The polls of a task.
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

    /// Of the poll in progress, if there is one.
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

/// A task that has not ended, in its group's books.
pub(super) struct TaskRecord {
    pub(super) id: TaskId,
    pub(super) name: &'static str,
    location: &'static Location<'static>,
    pub(super) started: Instant,
    /// Whether it is asked through the token before it is dropped.
    cooperative: bool,
    /// Why it was cancelled, and when, if it was.
    reason: Option<(CancelReason, Instant)>,
    /// Whether it is to be dropped at its next poll.
    pub(super) stopping: bool,
    /// Wakes it, once it has waited for something.
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

    /// What is known of the task at `now`; `timed` says whether its polls are timed.
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

    /// Why it is to be dropped now, if it is.
    pub(super) fn stops(&self) -> Option<CancelReason> {
        self.reason.filter(|_| self.stopping).map(|(reason, _)| reason)
    }

    /// Asks it to stop, by force unless it is cooperative; the answer is to be woken.
    pub(super) fn cancel(&mut self, reason: CancelReason, force: bool, now: Instant) -> Stop {
        self.reason.get_or_insert((reason, now));
        if self.stopping || (self.cooperative && !force) {
            return Stop::Asked;
        }
        self.stopping = true;
        Stop::Forced(self.waker.take())
    }
}

/// What came of asking a task to stop.
pub(super) enum Stop {
    /// It stops by itself, or does so already.
    Asked,
    /// It is dropped at its next poll, to which this wakes it.
    Forced(Option<Waker>),
}
