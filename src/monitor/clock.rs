//! Time: measured by monotonic clocks alone, and shown as wall-clock time.

use std::time::{Duration, Instant, SystemTime};

/// Ties monotonic time to the wall clock, once.
///
/// A wall clock that is set back or forth later moves no time that is shown, and no duration. An
/// instant of a clock that is turned by hand is shown as far from the present as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    start: Instant,
    wall: SystemTime,
}

impl WallClock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), wall: SystemTime::now() }
    }

    pub(super) fn wall(&self, at: Instant) -> SystemTime {
        match self.start.checked_duration_since(at) {
            None => self.wall + self.since_start(at),
            // Of a clock that stood still before there was a monitor.
            Some(before) => self.wall.checked_sub(before).unwrap_or(self.wall),
        }
    }

    pub(super) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_the_start_are_shown_as_far_apart_as_they_are() {
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let clock = WallClock { start: start + hour, wall: SystemTime::UNIX_EPOCH + 2 * hour };
        let shown = [0, 1, 2].map(|hours| clock.wall(start + hours * hour));
        assert_eq!(shown, [1, 2, 3].map(|hours| SystemTime::UNIX_EPOCH + hours * hour));
    }
}
