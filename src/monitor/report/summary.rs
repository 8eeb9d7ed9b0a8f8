//! All that a monitor knows, in a few numbers.

use std::time::{Duration, SystemTime};

use super::health::Health;
use crate::monitor::numbers::{OperationCounts, StateCounts, TaskCounts};

/// All that a [`Monitor`](crate::monitor::Monitor) knows, in a few numbers. It takes constant time
/// to make, whatever there is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How long ago the monitor was started.
    pub uptime: Duration,
    /// When the summary was made.
    pub at: SystemTime,
    /// Connections by their state. `closed` counts every connection that has ever ended, so that
    /// the sum is every connection that was ever opened.
    pub states: StateCounts,
    /// Operations.
    pub operations: OperationCounts,
    /// Recorded tasks.
    pub tasks: TaskCounts,
    /// Connections whose driver a callback of the application holds beyond its
    /// [budget](crate::PeerOptions::handler_budget).
    pub stalled_handlers: u64,
    /// Tasks that have outlived their peers. Updated every second.
    pub orphaned_tasks: u64,
    /// Tasks that are stuck. Updated every second.
    pub stuck_tasks: u64,
    /// Closed connections that the application still holds.
    pub unreleased: u64,
    /// Open data channels, as of the last samples.
    pub open_channels: u64,
    /// Events that the monitor was told.
    pub events: u64,
    /// Log records that were dropped, because the queue was full or the disk failed.
    pub dropped: u64,
    /// Whether anything is wrong.
    pub health: Health,
}
