//! Timers that work on any thread, whatever drives it, or nothing.

use std::time::{Duration, Instant};

use async_io::Timer;
use futures::future::{Either, select};

/// Completes after `duration`, on any executor: async-io's reactor has a thread of its own.
pub(crate) async fn sleep(duration: Duration) {
    Timer::after(duration).await;
}

/// The output of `future`, or `None` at `deadline`; a future that is ready by then wins.
pub(crate) async fn by<F: Future + Unpin>(deadline: Instant, future: F) -> Option<F::Output> {
    match select(future, Timer::at(deadline)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
