//! What is known of a task.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::books::Books;
use super::end::CancelReason;
use crate::id::PeerId;

/// The id of a task, unique in the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Its place in the order of starts.
    #[cfg(feature = "http")]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task-{}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known of a task at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its id.
    pub id: TaskId,
    /// Its name, as it was started with.
    pub name: &'static str,
    /// The peer that it belongs to, if it belongs to one.
    pub peer: Option<PeerId>,
    /// Where in the source it was started.
    pub location: &'static Location<'static>,
    /// How long ago it was started.
    pub age: Duration,
    /// How long ago it was asked to stop; `None` if it was not.
    pub stopping_for: Option<Duration>,
    /// How it was polled; `None` in a group that is not
    /// [timed](super::TaskGroupBuilder::timed).
    pub polls: Option<PollTimes>,
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} from {}", self.id, self.name, self.location)
    }
}

/// How a task was polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollTimes {
    /// How often.
    pub polls: u64,
    /// How long, all polls together.
    pub busy: Duration,
    /// The longest poll. One beyond some 100 microseconds keeps others waiting.
    pub longest: Duration,
    /// For how long the poll in progress has lasted; `None` between polls.
    pub current: Option<Duration>,
    /// For how long nothing has happened to it: since its last poll began or ended, or its start.
    pub idle: Duration,
}

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

    fn times(&self, started: Instant) -> PollTimes {
        let Self { polls, busy, longest, last, in_progress } = *self;
        let idle = last.unwrap_or(started).elapsed();
        PollTimes { polls, busy, longest, current: in_progress.then_some(idle), idle }
    }
}

/// A task that has not ended, in its group's books.
pub(super) struct Record {
    pub(super) id: TaskId,
    pub(super) name: &'static str,
    location: &'static Location<'static>,
    started: Instant,
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

impl Record {
    #[inline]
    pub(super) fn new(
        name: &'static str,
        location: &'static Location<'static>,
        cooperative: bool,
    ) -> Self {
        Self {
            id: TaskId::next(),
            name,
            location,
            started: Instant::now(),
            cooperative,
            reason: None,
            stopping: false,
            waker: None,
            polls: Polls::default(),
        }
    }

    pub(super) fn info(&self, group: &Books) -> TaskInfo {
        TaskInfo {
            id: self.id,
            name: self.name,
            peer: group.peer().cloned(),
            location: self.location,
            age: self.started.elapsed(),
            stopping_for: self.reason.map(|(_, since)| since.elapsed()),
            polls: group.timed.then(|| self.polls.times(self.started)),
        }
    }

    /// Why it is to be dropped now, if it is.
    pub(super) fn stops(&self) -> Option<CancelReason> {
        self.reason.filter(|_| self.stopping).map(|(reason, _)| reason)
    }

    /// Asks it to stop, by force unless it is cooperative; the answer is to be woken.
    pub(super) fn cancel(&mut self, reason: CancelReason, force: bool) -> Stop {
        self.reason.get_or_insert_with(|| (reason, Instant::now()));
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
