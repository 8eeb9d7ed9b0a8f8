//! Blocking a thread on a future: with a bound, and only where that starves nobody.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Why a blocking wait ended without the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// The time is up. The work goes on; wait or await again.
    TimedOut,
    /// Refused at once: this thread is running an executor's tasks, and blocking it could keep
    /// the very work that is waited for from running. `await` the handle instead.
    ///
    /// Known without guessing on tokio (but not inside `tokio::task::unconstrained`), on async-std,
    /// in the executors of the futures crate, in tasks that this crate spawned, and by the
    /// thread's name on smol's own threads. A task that the host itself put on a bare
    /// `async-executor` cannot be known: blocking there costs the close its grace period, and it
    /// is forced.
    WouldStarve,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the wait timed out; the work goes on",
            Self::WouldStarve => {
                "refused to block a thread that runs an executor's tasks; await the handle instead"
            }
        })
    }
}

impl std::error::Error for WaitError {}

/// Blocks until `future` is ready, at most for `timeout`.
///
/// A fresh parker for every call: the cached ones of the executors' `block_on`s panic when nested
/// and in thread-local destructors.
pub(crate) fn wait<F: Future + Unpin>(
    future: &mut F,
    timeout: Duration,
) -> Result<F::Output, WaitError> {
    let (parker, unparker) = parking::pair();
    let waker = Waker::from(unparker);
    let mut cx = Context::from_waker(&waker);
    let start = Instant::now();
    // What has ended is answered anywhere, also where blocking would be refused.
    if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut cx) {
        return Ok(output);
    }
    if would_starve() {
        return Err(WaitError::WouldStarve);
    }
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(WaitError::TimedOut);
        }
        parker.park_timeout(left);
        if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut cx) {
            return Ok(output);
        }
    }
}

/// Whether this thread is in the middle of an executor's poll of a task.
fn would_starve() -> bool {
    #[cfg(feature = "tokio")]
    if super::tokio::in_task() {
        return true;
    }
    #[cfg(feature = "async-std")]
    if super::async_std::in_task() {
        return true;
    }
    #[cfg(feature = "smol")]
    if super::smol::on_executor_thread() {
        return true;
    }
    // A pool or a `block_on` of futures' own: its guard refuses to be nested.
    super::mark::in_own_task() || futures::executor::enter().is_err()
}
