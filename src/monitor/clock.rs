//! Converts monotonic time, which everything is measured by, to wall-clock time, which is shown.

use std::time::{Duration, Instant, SystemTime};

/// A pair of a monotonic and a wall-clock time, read once, when the monitor is made.
///
/// If the wall clock is set later, times that are shown and durations do not change. An instant of
/// a manual clock is shown at its distance from the pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    start: Instant,
    wall: SystemTime,
}

impl WallClock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), wall: SystemTime::now() }
    }

    /// Converts an instant to wall-clock time.
    pub(super) fn wall(&self, at: Instant) -> SystemTime {
        match self.start.checked_duration_since(at) {
            None => self.wall + self.since_start(at),
            // The instant comes from a manual clock that was created before the monitor.
            Some(before) => self.wall.checked_sub(before).unwrap_or(self.wall),
        }
    }

    /// The time from the start to an instant; zero if the instant is before the start.
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
