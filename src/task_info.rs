//! Information about tasks: their identity, how they are polled, how they ended, and which did not
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
    /// Returns the next id.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number in the id, which increases in the order of starts.
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

/// Information about a task at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// The task's id.
    pub id: TaskId,
    /// The name that the task was started with.
    pub name: &'static str,
    /// The peer that the task belongs to, if any.
    pub peer: Option<PeerId>,
    /// The place in the source where the task was started.
    pub location: &'static Location<'static>,
    /// The time since the task was started.
    pub age: Duration,
    /// The time since the task was asked to stop; `None` if it was not asked.
    pub stopping_for: Option<Duration>,
    /// How the task was polled; `None` in a group that is not
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
    /// The number of polls.
    pub polls: u64,
    /// The total time of all polls.
    pub busy: Duration,
    /// The time of the longest poll. A poll of more than about 100 µs delays other tasks.
    pub longest: Duration,
    /// The time since the poll in progress began; `None` between polls.
    pub current: Option<Duration>,
    /// The time since the last poll began or ended, or since the start if there was no poll.
    pub idle: Duration,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// The task ran to its end.
    Completed,
    /// The task ran to its end and returned an error, with this message. Only tasks that were
    /// started with [`TaskBuilder::try_spawn`](crate::task::TaskBuilder::try_spawn) or
    /// [`try_spawn_all`](crate::task::TaskBuilder::try_spawn_all) have this end; other tasks that
    /// return an error are `Completed`.
    Failed(String),
    /// The task panicked, with this message.
    Panicked(String),
    /// The task was cancelled.
    Cancelled(CancelReason),
    /// The executor dropped the task: it refused the task, was shut down, or is gone.
    Lost,
}

impl TaskEnd {
    /// Returns a stable lower-case name of the variant.
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

/// The reason why a task was cancelled. If a task was cancelled several times, this is the first
/// reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// The task was aborted through its [handle](crate::task::TaskHandle::abort).
    Aborted,
    /// The task's group was cancelled, by the application or by a close of its peer.
    Group,
    /// The task's timeout was reached.
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

/// The tasks that had not stopped by the end of the wait for them.
///
/// Such a task is inside a poll that blocks its thread, or its executor is not being run, or it was
/// only [counted](crate::task::TaskGroup::track) and ignores its token. A recorded task still ends,
/// as soon as its poll returns or its executor is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckTasks {
    /// The recorded tasks.
    pub named: Vec<TaskInfo>,
    /// The number of tasks that were only counted.
    pub unnamed: usize,
}

impl StuckTasks {
    /// Returns whether every task has stopped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of tasks that have not stopped.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len() + self.unnamed
    }
}

impl fmt::Display for StuckTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            1 => f.write_str("1 task has not stopped")?,
            count => write!(f, "{count} tasks have not stopped")?,
        }
        for task in &self.named {
            write!(f, "\n  {task}")?;
        }
        Ok(())
    }
}

/// The recorded tasks of a group, while the group exists.
pub(crate) trait RecordedTasks: Send + Sync {
    /// Information about the recorded tasks that have not ended.
    fn infos(&self) -> Vec<TaskInfo>;

    /// The number of tasks that have not ended, recorded or only counted.
    fn len(&self) -> usize;
}

/// The tasks of a group that are only counted, which may outlive their group.
pub(crate) trait CountedTasks: Send + Sync {
    /// The number of counted tasks that have not ended.
    fn len(&self) -> usize;
}

/// A reference to a [`TaskGroup`](crate::task::TaskGroup) that keeps neither the group nor its
/// tasks alive.
#[derive(Clone)]
pub struct WeakTaskGroup {
    recorded: Weak<dyn RecordedTasks>,
    counted: Arc<dyn CountedTasks>,
}

impl WeakTaskGroup {
    pub(crate) fn new(recorded: Weak<dyn RecordedTasks>, counted: Arc<dyn CountedTasks>) -> Self {
        Self { recorded, counted }
    }

    /// Returns information about the recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.recorded.upgrade().map(|tasks| tasks.infos()).unwrap_or_default()
    }

    /// Returns the number of tasks that have not ended, recorded or only counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recorded.upgrade().map_or_else(|| self.counted.len(), |tasks| tasks.len())
    }

    /// Returns whether every task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of tasks that are only counted and have not ended.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.len()
    }

    /// Returns whether the group is gone and all its tasks have ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.recorded.strong_count() == 0 && self.counted.len() == 0
    }

    /// Returns whether both references refer to the same group.
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
