//! What is told of tasks: who they are, how they are polled, how they ended, and which would not
//! stop.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::id::PeerId;

/// The id of a task, unique in the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) fn next() -> Self {
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
    /// [timed](crate::task::TaskGroupBuilder::timed).
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

/// The one end of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// It ran to its end.
    Completed,
    /// It ran to its end and returned an error, with this message. Told apart from `Completed`
    /// for tasks that [`TaskBuilder::try_spawn`](crate::task::TaskBuilder::try_spawn) started.
    Failed(String),
    /// It panicked, with this message.
    Panicked(String),
    /// It was cancelled.
    Cancelled(CancelReason),
    /// Its executor dropped it: refused it, was shut down, or is gone.
    Lost,
}

impl TaskEnd {
    /// A stable lower-case name of its kind.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled(_) => "cancelled",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for TaskEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) | Self::Panicked(message) => {
                write!(f, "{}: {message}", self.as_str())
            }
            Self::Cancelled(reason) => write!(f, "cancelled: {reason}"),
            Self::Completed | Self::Lost => f.write_str(self.as_str()),
        }
    }
}

/// Why a task was cancelled. The first reason stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// Its [handle](crate::task::TaskHandle::abort) asked.
    Aborted,
    /// Its group was cancelled: its peer was closed, or somebody asked.
    Group,
    /// Its time was up.
    DeadlineExceeded,
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aborted => "aborted by its handle",
            Self::Group => "its group was cancelled",
            Self::DeadlineExceeded => "its time was up",
        })
    }
}

/// The tasks that had not stopped when nobody waited for them any longer.
///
/// They are inside a poll that blocks its thread, or nobody runs their executor, or they were
/// only [counted](crate::task::TaskGroup::track) and take no notice of their token. They still end when
/// they can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckTasks {
    /// The recorded ones.
    pub named: Vec<TaskInfo>,
    /// How many more there are, which were only counted.
    pub unnamed: usize,
}

impl StuckTasks {
    /// Whether every task has stopped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len() + self.unnamed
    }
}

impl fmt::Display for StuckTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks have not stopped", self.len())?;
        for task in &self.named {
            write!(f, "\n  {task}")?;
        }
        Ok(())
    }
}

/// The recorded tasks of a group, while there is a group.
pub(crate) trait RecordedTasks: Send + Sync {
    fn infos(&self) -> Vec<TaskInfo>;

    /// How many tasks have not ended, recorded or only counted.
    fn len(&self) -> usize;
}

/// The tasks of a group that are only counted, which may outlive their group.
pub(crate) trait CountedTasks: Send + Sync {
    fn len(&self) -> usize;
}

/// Looks at a group's tasks without keeping the group, or the tasks, from ending.
#[derive(Clone)]
pub struct WeakTaskGroup {
    recorded: Weak<dyn RecordedTasks>,
    counted: Arc<dyn CountedTasks>,
}

impl WeakTaskGroup {
    pub(crate) fn new(recorded: Weak<dyn RecordedTasks>, counted: Arc<dyn CountedTasks>) -> Self {
        Self { recorded, counted }
    }

    /// The recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.recorded.upgrade().map(|tasks| tasks.infos()).unwrap_or_default()
    }

    /// How many tasks, recorded or only counted, have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recorded.upgrade().map_or_else(|| self.counted.len(), |tasks| tasks.len())
    }

    /// Whether every task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tasks that were only counted have not ended.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.len()
    }

    /// Whether there can be no task any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.recorded.strong_count() == 0 && self.counted.len() == 0
    }

    /// Whether both are references to one group.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.recorded, &other.recorded)
    }
}

impl fmt::Debug for WeakTaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakTaskGroup").field("len", &self.len()).finish_non_exhaustive()
    }
}
