//! Connections, operations and tasks in numbers.

use super::histogram::Distribution;
use crate::task::TaskEnd;

/// Connections by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateCounts {
    /// `New`.
    pub new: u64,
    /// `Connecting`.
    pub connecting: u64,
    /// `Connected`.
    pub connected: u64,
    /// `Disconnected`.
    pub disconnected: u64,
    /// `Failed`.
    pub failed: u64,
    /// `Closed`, since the monitor was started.
    pub closed: u64,
}

impl StateCounts {
    /// How many connections were ever opened: the sum of all states.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.live() + self.closed
    }

    /// How many connections have not ended.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.new + self.connecting + self.connected + self.disconnected + self.failed
    }
}

/// Operations by their outcome. An operation that was started has one of the outcomes, or is in
/// flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationCounts {
    /// All operations.
    pub started: u64,
    /// Operations that ended with a result.
    pub completed: u64,
    /// Operations that ended with an error.
    pub failed: u64,
    /// Operations whose future was dropped before it was ready.
    pub cancelled: u64,
}

impl OperationCounts {
    /// How many operations have not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.completed + self.failed + self.cancelled)
    }

    /// How many operations have ended in each way, by its name.
    #[cfg(feature = "metrics")]
    pub(crate) fn by_outcome(&self) -> [(&'static str, u64); 3] {
        let Self { completed, failed, cancelled, .. } = *self;
        [
            (OutcomeKind::Completed.as_str(), completed),
            (OutcomeKind::Failed.as_str(), failed),
            (OutcomeKind::Cancelled.as_str(), cancelled),
        ]
    }

    #[inline]
    pub(crate) fn add(&mut self, outcome: OutcomeKind) {
        match outcome {
            OutcomeKind::Completed => self.completed += 1,
            OutcomeKind::Failed => self.failed += 1,
            OutcomeKind::Cancelled => self.cancelled += 1,
        }
    }
}

/// The kind of an operation's outcome, which is all that the numbers need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    Completed,
    Failed,
    Cancelled,
}

impl OutcomeKind {
    /// Its name in JSON, logs and metrics. There an operation is `canceled`: the Python original
    /// has that key and that status, and clients read them. In Rust, and in the names of how tasks
    /// end, it is `cancelled`, as in tokio and std; metrics of tasks have labels of their own.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "canceled",
        }
    }
}

/// The operations of one kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationMetrics {
    /// Their kind, or `other`.
    pub kind: &'static str,
    /// How many there were, by outcome.
    pub counts: OperationCounts,
    /// How long the completed, the failed and the cancelled operations took, in this order.
    pub durations: [Distribution; 3],
}

/// Recorded tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskCounts {
    /// All tasks.
    pub started: u64,
    /// Tasks that have ended.
    pub ended: u64,
}

impl TaskCounts {
    /// How many tasks have not ended.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }
}

/// Tasks that have ended, by their [`TaskEnd`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskEndCounts {
    /// Tasks that ran to their end.
    pub completed: u64,
    /// Tasks that returned an error.
    pub failed: u64,
    /// Tasks that panicked.
    pub panicked: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Tasks that their executor dropped.
    pub lost: u64,
}

impl TaskEndCounts {
    /// How many tasks have ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.completed + self.failed + self.panicked + self.cancelled + self.lost
    }

    /// How many tasks have ended in each way, by the label that metrics have for it: `error`, and
    /// `aborted` for both what was cancelled and what its executor dropped. Elsewhere the ends have
    /// the names of [`TaskEndKind`](crate::monitor::TaskEndKind).
    #[cfg(feature = "metrics")]
    pub(crate) fn by_outcome(&self) -> [(&'static str, u64); 4] {
        let Self { completed, failed, panicked, cancelled, lost } = *self;
        [("ok", completed), ("error", failed), ("panic", panicked), ("aborted", cancelled + lost)]
    }

    pub(crate) fn add(&mut self, end: &TaskEnd) {
        match end {
            TaskEnd::Completed => self.completed += 1,
            TaskEnd::Failed(_) => self.failed += 1,
            TaskEnd::Panicked(_) => self.panicked += 1,
            TaskEnd::Cancelled(_) => self.cancelled += 1,
            TaskEnd::Lost => self.lost += 1,
        }
    }
}

/// The recorded tasks of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskMetrics {
    /// Their name, or `other`.
    pub name: &'static str,
    /// How many tasks have not ended.
    pub pending: u64,
    /// How many of the pending tasks are stuck. Updated every second.
    pub stuck: u64,
    /// How many of the pending tasks have outlived their peers. Updated every second.
    pub orphaned: u64,
    /// How the other tasks ended.
    pub ends: TaskEndCounts,
}
