//! The eager handle of a task.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_task::FallibleTask;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{AbortHandle, Abortable, Aborted};

use super::error::{JoinError, panicked};
use super::wait::{WaitError, wait};

/// A handle to a task that has been started.
///
/// - `await` it: the task's result, or why there is none. Any executor will do, not only the
///   task's own.
/// - [`wait`](Self::wait) on it from synchronous code, with a bound.
/// - Drop it: **the task goes on**, on every backend. [`abort`](Self::abort) ends it.
///
/// # Cancel safety
///
/// Awaiting by reference and being cancelled loses nothing: await again. After the result was
/// taken, polling again says [`JoinError::Lost`].
#[must_use = "a dropped handle detaches its task"]
pub struct JoinHandle<T> {
    inner: Inner<T>,
    aborted: bool,
}

enum Inner<T> {
    #[cfg(feature = "tokio")]
    Tokio(tokio::task::JoinHandle<T>),
    Task(Option<FallibleTask<T>>),
    Reported {
        end: oneshot::Receiver<Result<T, JoinError>>,
        abort: AbortHandle,
    },
}

impl<T> JoinHandle<T> {
    #[cfg(feature = "tokio")]
    pub(super) fn tokio(handle: tokio::task::JoinHandle<T>) -> Self {
        Self { inner: Inner::Tokio(handle), aborted: false }
    }

    #[inline]
    pub(super) fn task(task: async_task::Task<T>) -> Self {
        Self { inner: Inner::Task(Some(task.fallible())), aborted: false }
    }

    /// The handle of a task that was refused.
    #[cold]
    pub(crate) fn refused() -> Self {
        Self { inner: Inner::Task(None), aborted: false }
    }

    /// Wraps `task` so that its end is reported to the handle also where the executor has no
    /// handles of its own.
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
                // Nobody may be waiting any more.
                let _detached = report.send(result);
            }
        };
        (task, Self { inner: Inner::Reported { end, abort }, aborted: false })
    }

    /// Ends the task at its next suspension point; a task that has ended is left as it is.
    ///
    /// The task's future is dropped by its executor, soon, not by this call.
    pub fn abort(&mut self) {
        self.aborted = true;
        match &mut self.inner {
            #[cfg(feature = "tokio")]
            Inner::Tokio(handle) => handle.abort(),
            // Dropping an `async_task` handle is its cancel.
            Inner::Task(task) => drop(task.take()),
            Inner::Reported { abort, .. } => abort.abort(),
        }
    }

    /// Blocks this thread until the task has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] when the time is up: the task goes on, and the handle can be waited
    /// on or awaited again. [`WaitError::WouldStarve`], at once, where blocking would keep an
    /// executor from running its tasks: `await` there.
    pub fn wait(&mut self, timeout: Duration) -> Result<Result<T, JoinError>, WaitError> {
        wait(self, timeout)
    }

    #[cold]
    fn lost(&self) -> JoinError {
        if self.aborted { JoinError::Cancelled } else { JoinError::Lost }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match &mut this.inner {
            #[cfg(feature = "tokio")]
            Inner::Tokio(handle) => match ready!(super::tokio::poll_join(handle, cx)) {
                Some(ended) => Poll::Ready(ended),
                None => Poll::Ready(Err(this.lost())),
            },
            Inner::Task(slot) => {
                let Some(task) = slot else { return Poll::Ready(Err(this.lost())) };
                // `async_task` hands the panic of a task to whoever awaits it.
                match catch_unwind(AssertUnwindSafe(|| Pin::new(task).poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(Some(output))) => {
                        // Cheaper than its drop, which would cancel what has ended.
                        if let Some(task) = slot.take() {
                            task.detach();
                        }
                        Poll::Ready(Ok(output))
                    }
                    Ok(Poll::Ready(None)) => Poll::Ready(Err(this.lost())),
                    Err(panic) => {
                        *slot = None;
                        Poll::Ready(Err(panicked(panic)))
                    }
                }
            }
            Inner::Reported { end, .. } => match ready!(Pin::new(end).poll(cx)) {
                Ok(ended) => Poll::Ready(ended),
                Err(_dropped) => Poll::Ready(Err(this.lost())),
            },
        }
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

fn aborted<T>(ended: Result<T, Aborted>) -> Option<Result<T, JoinError>> {
    ended.ok().map(Ok)
}
