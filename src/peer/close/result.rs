//! What a close comes to.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::task::StuckTasks;

/// The outcome of a close, the time that it took, and the tasks that it left.
#[derive(Clone)]
pub(in crate::peer) struct CloseResult {
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    pub(super) stuck: StuckTasks,
}

impl CloseResult {
    pub(super) fn at_once(outcome: Outcome) -> Self {
        Self { outcome, took: Duration::ZERO, stuck: StuckTasks::default() }
    }
}
