//! How a task ended.

use std::fmt;

/// The one end of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// It ran to its end.
    Completed,
    /// It ran to its end and returned an error, with this message. Told apart from `Completed`
    /// for tasks that [`TaskBuilder::try_spawn`](super::TaskBuilder::try_spawn) started.
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
    /// Its [handle](super::TaskHandle::abort) asked.
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
