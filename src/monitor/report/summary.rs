//! `Summary`: the most important numbers, and the health.

use std::time::{Duration, SystemTime};

use super::health::Health;
use crate::monitor::numbers::{OperationCounts, StateCounts, TaskCounts};

/// The most important numbers of a [`Monitor`](crate::monitor::Monitor), and the health, returned
/// by [`Monitor::summary`](crate::monitor::Monitor::summary).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The time since the monitor was made.
    pub uptime: Duration,
    /// When the summary was made.
    pub at: SystemTime,
    /// The numbers of connections, by state.
    pub states: StateCounts,
    /// The numbers of operations, by outcome.
    pub operations: OperationCounts,
    /// The numbers of recorded tasks.
    pub tasks: TaskCounts,
    /// The number of connections whose driver is held by a callback of the application beyond its
    /// [budget](crate::PeerOptions::handler_budget).
    pub stalled_handlers: u64,
    /// The number of tasks that have outlived their peers. It is updated every second.
    pub orphaned_tasks: u64,
    /// The number of tasks that are stuck. It is updated every second.
    pub stuck_tasks: u64,
    /// The number of closed connections that the application still holds.
    pub unreleased: u64,
    /// The number of open data channels, as of the last samples.
    pub open_channels: u64,
    /// The number of events that the monitor has received.
    pub events: u64,
    /// The number of log records that were dropped, because the queue was full or the disk failed.
    pub dropped: u64,
    /// The health, with the issues if anything is wrong.
    pub health: Health,
}
