//! `TaskHandle`: the handle of a recorded task.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::books::Books;
use crate::runtime::{JoinError, JoinHandle, WaitError, wait};
use crate::task_info::{CancelReason, TaskId, TaskInfo};

/// A handle to a recorded task of a group: a [`JoinHandle`] with the task's id, name and
/// information.
///
/// - Awaiting the handle returns the task's result, or the reason why there is none. A handle can
///   be awaited on any executor, not only on that of the task.
/// - [`wait`](Self::wait) blocks a thread until the task has ended, up to a timeout.
/// - **Dropping the handle does not stop the task**, which still belongs to its group.
///   [`abort`](Self::abort) stops it.
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime::Runtime;
/// use anypeer::task::TaskGroup;
///
/// let group = TaskGroup::new(Runtime::current_or_background()?)?;
/// let mut sum = group.spawn("sum", async { 1 + 2 });
/// assert_eq!(sum.name(), "sum");
/// // This is synchronous code. In a task, write `sum.await` instead.
/// assert_eq!(sum.wait(Duration::from_secs(5))?, Ok(3));
///
/// // Without its handle, the task runs until it ends or its group is cancelled.
/// group.spawn("ticker", std::future::pending::<()>());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cancel safety
///
/// Cancel safe if it is awaited by reference (`(&mut handle).await`): when that future is dropped,
/// the handle can be awaited again. The result is returned once: a handle that is awaited after
/// that returns [`JoinError::Lost`].
pub struct TaskHandle<T> {
    group: Arc<Books>,
    place: usize,
    id: TaskId,
    name: &'static str,
    task: JoinHandle<Result<T, JoinError>>,
}

impl<T> TaskHandle<T> {
    #[inline]
    pub(super) fn new(
        group: Arc<Books>,
        place: usize,
        id: TaskId,
        name: &'static str,
        task: JoinHandle<Result<T, JoinError>>,
    ) -> Self {
        Self { group, place, id, name, task }
    }

    /// Returns the task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Returns the name that the task was started with.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns information about the task, or `None` if it has ended.
    #[must_use]
    pub fn info(&self) -> Option<TaskInfo> {
        self.group.info(self.place, self.id)
    }

    /// Cancels the task at its next suspension point, even if it is cooperative. A task that has
    /// ended is not affected.
    ///
    /// This does not wait. The task's executor drops the future soon after, and the handle then
    /// returns [`JoinError::Cancelled`].
    pub fn abort(&self) {
        self.group.abort_one(self.place, self.id, CancelReason::Aborted);
    }

    /// Blocks this thread until the task has ended, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`JoinHandle::wait`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Result<T, JoinError>, WaitError> {
        wait(self, timeout)
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.get_mut().task).poll(cx)).and_then(|ended| ended))
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("id", &self.id).field("name", &self.name).finish()
    }
}
