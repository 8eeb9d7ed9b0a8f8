//! Times, as JSON has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

pub(super) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
