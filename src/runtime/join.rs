//! `JoinHandle`: the handle of a spawned task.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_task::FallibleTask;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{AbortHandle, Abortable, Aborted, FusedFuture};

use super::error::{JoinError, panicked};
use super::wait::{WaitError, wait};

/// A handle to a spawned task, returned by [`Runtime::spawn`](super::Runtime::spawn).
///
/// - Awaiting the handle returns the task's result, or the reason why there is none. A handle can
///   be awaited on any executor, not only on that of the task.
/// - [`wait`](Self::wait) blocks a thread until the task has ended, up to a timeout.
/// - **Dropping the handle does not stop the task**, on any backend. [`abort`](Self::abort) does.
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime::{self, JoinError};
///
/// let mut endless = runtime::run(std::future::pending::<()>())?;
/// endless.abort();
/// assert_eq!(endless.wait(Duration::from_secs(5))?, Err(JoinError::Cancelled));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cancel safety
///
/// Cancel safe if it is awaited by reference (`(&mut handle).await`): when that future is dropped,
/// the handle can be awaited again. The result is returned once: a handle that is awaited after
/// that returns [`JoinError::Lost`].
#[must_use = "the task continues without its handle, but its result is lost"]
pub struct JoinHandle<T> {
    inner: Inner<T>,
    aborted: bool,
}

enum Inner<T> {
    #[cfg(feature = "tokio")]
    Tokio(Option<tokio::task::JoinHandle<T>>),
    Task(Option<FallibleTask<T>>),
    Reported {
        end: oneshot::Receiver<Result<T, JoinError>>,
        abort: AbortHandle,
    },
}

impl<T> JoinHandle<T> {
    #[cfg(feature = "tokio")]
    pub(super) fn tokio(handle: tokio::task::JoinHandle<T>) -> Self {
        Self { inner: Inner::Tokio(Some(handle)), aborted: false }
    }

    #[inline]
    pub(super) fn task(task: async_task::Task<T>) -> Self {
        Self { inner: Inner::Task(Some(task.fallible())), aborted: false }
    }

    /// Returns the handle of a task that was refused. It is ready with [`JoinError::Lost`].
    #[cold]
    pub(crate) fn refused() -> Self {
        Self { inner: Inner::Task(None), aborted: false }
    }

    /// Wraps `task` so that its result is sent to the returned handle, for executors whose own
    /// handles cannot be used.
    pub(super) fn reported<F>(task: F) -> (impl Future<Output = ()> + Send + 'static, Self)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (report, end) = oneshot::channel();
        let (abort, registration) = AbortHandle::new_pair();
        let task = Abortable::new(task, registration);
        let task = async move {
            let ended = AssertUnwindSafe(task).catch_unwind().await;
            if let Some(result) = ended.map_or_else(|panic| Some(Err(panicked(panic))), aborted) {
                // The handle may have been dropped.
                let _detached = report.send(result);
            }
        };
        (task, Self { inner: Inner::Reported { end, abort }, aborted: false })
    }

    /// Cancels the task at its next suspension point.
    ///
    /// This does not wait. The task's executor drops the future soon after, and the handle then
    /// returns [`JoinError::Cancelled`]. Aborting a task that has ended has no effect: the handle
    /// still returns its result.
    pub fn abort(&mut self) {
        self.aborted |= match &mut self.inner {
            #[cfg(feature = "tokio")]
            Inner::Tokio(slot) => slot.as_ref().inspect(|handle| handle.abort()).is_some(),
            // Dropping an `async_task` handle cancels the task, and discards a result that was not
            // taken yet.
            Inner::Task(slot) => slot.take_if(|task| !task.is_finished()).is_some(),
            Inner::Reported { end, abort } => {
                // Asked first: the executor may drop the task at once.
                let is_running = !end.is_terminated();
                abort.abort();
                is_running
            }
        };
    }

    /// Blocks this thread until the task has ended, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// - [`WaitError::TimedOut`] if the task has not ended within `timeout`. The task continues,
    ///   and the handle can be waited on or awaited again.
    /// - [`WaitError::WouldStarve`], without blocking, if this thread is running an executor's task
    ///   and the task is not done yet. Await the handle there.
    pub fn wait(&mut self, timeout: Duration) -> Result<Result<T, JoinError>, WaitError> {
        wait(self, timeout)
    }
}

impl<T> Inner<T> {
    /// Polls for the end of the task; `None` if its executor dropped it, or if the result was taken.
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(slot) => {
                let Some(handle) = slot else { return Poll::Ready(None) };
                let ended = ready!(super::tokio::poll_join(handle, cx));
                // Polling tokio's handle again would panic.
                *slot = None;
                Poll::Ready(ended)
            }
            Self::Task(slot) => {
                let Some(task) = slot else { return Poll::Ready(None) };
                // Polling the handle of an `async_task` that panicked resumes the panic.
                match catch_unwind(AssertUnwindSafe(|| Pin::new(task).poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(output)) => {
                        // `detach` is cheaper than a drop, which would cancel the task first.
                        if let Some(task) = slot.take() {
                            task.detach();
                        }
                        Poll::Ready(output.map(Ok))
                    }
                    Err(panic) => {
                        *slot = None;
                        Poll::Ready(Some(Err(panicked(panic))))
                    }
                }
            }
            Self::Reported { end, .. } => Pin::new(end).poll(cx).map(Result::ok),
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let ended = ready!(this.inner.poll(cx));
        let aborted = std::mem::take(&mut this.aborted);
        Poll::Ready(ended.unwrap_or(Err(if aborted {
            JoinError::Cancelled
        } else {
            JoinError::Lost
        })))
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if let Inner::Task(task) = &mut self.inner
            && let Some(task) = task.take()
        {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("aborted", &self.aborted).finish_non_exhaustive()
    }
}

/// Converts the result of an `Abortable`; `None` if the task was aborted.
fn aborted<T>(ended: Result<T, Aborted>) -> Option<Result<T, JoinError>> {
    ended.ok().map(Ok)
}
