//! What is known of a task.

use std::panic::Location;

use crate::named::named;
use crate::task::TaskInfo;

/// A task that has not ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskReport {
    /// The task.
    pub task: TaskInfo,
    /// Where in the source the task was started.
    pub location: &'static Location<'static>,
    /// Whether the task has outlived its peer.
    pub orphaned: bool,
    /// Why the task counts as stuck, if it does.
    pub stuck: Option<StuckReason>,
}

named! {
    /// Why a task counts as stuck.
    StuckReason {
        /// One poll of the task takes too long, and holds its thread.
        Polling = "polling",
        /// The task was asked to stop too long ago.
        Stopping = "stopping",
        /// The task has not been polled for too long.
        Idle = "idle",
    }
}
