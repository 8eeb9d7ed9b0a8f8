//! Blocks a thread on a future: up to a timeout, and only where that does not block an executor.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The reason why a blocking wait returned without the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// The timeout was reached. The work continues; wait on the handle or await it again.
    TimedOut,
    /// The wait was refused without blocking: this thread is running an executor's task, and
    /// blocking it could prevent the executor from running the awaited work. Await the handle
    /// instead.
    ///
    /// This is detected on tokio (except inside `tokio::task::unconstrained`), on async-std, in the
    /// executors of the `futures` crate, in tasks that this crate spawned, and on smol's own
    /// threads, by the name of the thread. It cannot be detected in a task that the application
    /// itself spawned on an `async-executor`. There, `wait` blocks; if the peer runs on the blocked
    /// thread, its close cannot be graceful, and is forced at the end of the grace period.
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

/// Blocks until `future` is ready, but no longer than `timeout`.
///
/// Each call makes its own parker, because the `block_on` functions of executors cache theirs in a
/// thread-local, and panic when they are nested or called in the destructor of a thread-local.
pub(crate) fn wait<F: Future + Unpin>(
    future: &mut F,
    timeout: Duration,
) -> Result<F::Output, WaitError> {
    let (parker, unparker) = parking::pair();
    let waker = Waker::from(unparker);
    let mut cx = Context::from_waker(&waker);
    let start = Instant::now();
    // A future that is ready needs no blocking, and is answered even where blocking is refused.
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

/// Whether an executor is polling a task on this thread.
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
    // An error means that the thread is in a pool or a `block_on` of the `futures` crate.
    super::mark::in_own_task() || futures::executor::enter().is_err()
}
