//! Time: measured by the monotonic clock alone, and shown as wall-clock time.

use std::time::{Duration, Instant, SystemTime};

/// Ties the monotonic clock to the wall clock, once.
///
/// A wall clock that is set back or forth later moves no time that is shown, and no duration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    wall: SystemTime,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), wall: SystemTime::now() }
    }

    pub(super) fn wall(&self, at: Instant) -> SystemTime {
        self.wall + self.since_start(at)
    }

    pub(super) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }
}
