//! The result of a close.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::task::StuckTasks;

/// The outcome of a close, its duration, and the tasks that did not stop.
#[derive(Clone)]
pub(in crate::peer) struct CloseResult {
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    pub(super) stuck: StuckTasks,
}

impl CloseResult {
    /// The result of a close that has its outcome immediately.
    pub(super) fn at_once(outcome: Outcome) -> Self {
        Self { outcome, took: Duration::ZERO, stuck: StuckTasks::default() }
    }
}
