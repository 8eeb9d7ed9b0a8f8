//! Converts times and durations to numbers of seconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The seconds since 1970.
pub(crate) fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The seconds of a duration.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
