//! The report of a task.

use std::panic::Location;

use crate::named::named;
use crate::task::TaskInfo;

/// A recorded task that has not ended, returned by
/// [`Monitor::tasks`](crate::monitor::Monitor::tasks).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskReport {
    /// Information about the task.
    pub task: TaskInfo,
    /// The place in the source where the task was started.
    pub location: &'static Location<'static>,
    /// Whether the task has outlived its peer.
    pub orphaned: bool,
    /// Why the task counts as stuck, if it does.
    pub stuck: Option<StuckReason>,
}

named! {
    /// The reason why a task counts as stuck; see [`StuckOptions`](crate::monitor::StuckOptions).
    StuckReason {
        /// The poll in progress takes too long, and blocks its thread.
        Polling = "polling",
        /// The task was asked to stop too long ago.
        Stopping = "stopping",
        /// The task has not been polled for too long.
        Idle = "idle",
    }
}
