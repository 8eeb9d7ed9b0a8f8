//! Numbers of connections, operations and tasks.

use super::histogram::Distribution;
use crate::task::TaskEnd;

/// The numbers of connections, by [state](crate::ConnectionState).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateCounts {
    /// Live connections in the state `New`.
    pub new: u64,
    /// Live connections in the state `Connecting`.
    pub connecting: u64,
    /// Live connections in the state `Connected`.
    pub connected: u64,
    /// Live connections in the state `Disconnected`.
    pub disconnected: u64,
    /// Live connections in the state `Failed`.
    pub failed: u64,
    /// All connections that have ended since the monitor was made.
    pub closed: u64,
}

impl StateCounts {
    /// Returns the number of connections that were opened since the monitor was made: the sum of
    /// all states.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.live() + self.closed
    }

    /// Returns the number of connections that have not ended.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.new + self.connecting + self.connected + self.disconnected + self.failed
    }
}

/// The numbers of operations, by outcome. An operation that was started has one outcome, or is in
/// flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationCounts {
    /// All operations that were started.
    pub started: u64,
    /// Operations that succeeded.
    pub completed: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Operations that were dropped before they ended.
    pub cancelled: u64,
}

impl OperationCounts {
    /// Returns the number of operations that have not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.completed + self.failed + self.cancelled)
    }

    /// The number of operations with each outcome, by the outcome's name.
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

/// The kind of an operation's outcome, without its texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    Completed,
    Failed,
    Cancelled,
}

impl OutcomeKind {
    /// The name in JSON, logs and metrics. The spelling `canceled` is that of the Python original,
    /// whose clients read it. Rust items and the ends of tasks are spelt `cancelled`, as in tokio
    /// and std.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "canceled",
        }
    }
}

/// The numbers of operations of one kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationMetrics {
    /// The kind, or `other` for all kinds beyond [`Limits::names`](crate::monitor::Limits::names).
    pub kind: &'static str,
    /// The numbers of operations, by outcome.
    pub counts: OperationCounts,
    /// The durations of the completed, the failed and the cancelled operations, in this order.
    pub durations: [Distribution; 3],
}

/// The numbers of recorded tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskCounts {
    /// All tasks that were started.
    pub started: u64,
    /// Tasks that have ended.
    pub ended: u64,
}

impl TaskCounts {
    /// Returns the number of tasks that have not ended.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }
}

/// The numbers of tasks that have ended, by [`TaskEnd`].
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
    /// Returns the number of tasks that have ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.completed + self.failed + self.panicked + self.cancelled + self.lost
    }

    /// The number of tasks that have ended in each way, by the label in metrics. The label
    /// `aborted` covers both tasks that were cancelled and tasks that their executor dropped.
    /// Elsewhere, the ends have the names of [`TaskEndKind`](crate::monitor::TaskEndKind).
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

/// The numbers of recorded tasks of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskMetrics {
    /// The name, or `other` for all names beyond [`Limits::names`](crate::monitor::Limits::names).
    pub name: &'static str,
    /// The number of tasks that have not ended.
    pub pending: u64,
    /// The number of pending tasks that are stuck. It is updated every second.
    pub stuck: u64,
    /// The number of pending tasks that have outlived their peers. It is updated every second.
    pub orphaned: u64,
    /// The numbers of tasks that have ended.
    pub ends: TaskEndCounts,
}
