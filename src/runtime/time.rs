//! Waiting by the system's clock.

use std::time::{Duration, Instant};

use super::Clock;
use super::clock::Sleep;

pub(crate) use super::clock::after;

pub(crate) fn sleep(duration: Duration) -> Sleep {
    Clock::system().sleep(duration)
}

pub(crate) async fn by<F: Future + Unpin>(deadline: Instant, future: F) -> Option<F::Output> {
    Clock::system().by(deadline, future).await
}
