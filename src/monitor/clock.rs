//! Time: measured by the monotonic clock alone, and shown as wall-clock time.

use std::time::{Duration, Instant, SystemTime};

/// Ties the monotonic clock to the wall clock, once.
///
/// A wall clock that is set back or forth later moves no time that is shown, and no duration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wall: SystemTime,
}

/// A moment: how long after the clock's start it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Stamp(u64);

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), wall: SystemTime::now() }
    }

    #[inline]
    pub(crate) fn now(&self) -> Stamp {
        self.stamp(Instant::now())
    }

    #[inline]
    pub(crate) fn stamp(&self, at: Instant) -> Stamp {
        let since = at.saturating_duration_since(self.start);
        // 584 years fit.
        Stamp(since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos()))
    }

    pub(crate) fn wall(&self, stamp: Stamp) -> SystemTime {
        self.wall + Duration::from_nanos(stamp.0)
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Stamp {
    /// How long after `earlier` it was.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
