//! The handle of a supervised task.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::books::Books;
use crate::runtime::{JoinError, JoinHandle, WaitError, wait};
use crate::task_info::{CancelReason, TaskId, TaskInfo};

/// A handle to a supervised task: a [`JoinHandle`] that also knows who the task is.
///
/// Await it, [`wait`](Self::wait) on it with a bound, or drop it: **the task goes on**, and still
/// belongs to its group.
///
/// # Cancel safety
///
/// Awaiting by reference and being cancelled loses nothing: await again. After the result was
/// taken, polling again says [`JoinError::Lost`].
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

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is known of the task now; `None` once it has ended.
    #[must_use]
    pub fn info(&self) -> Option<TaskInfo> {
        self.group.info(self.place, self.id)
    }

    /// Ends the task at its next suspension point; a task that has ended is left as it is.
    ///
    /// The task's future is dropped by its executor, soon, not by this call.
    pub fn abort(&self) {
        self.group.abort_one(self.place, self.id, CancelReason::Aborted);
    }

    /// Blocks this thread until the task has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`JoinHandle::wait`].
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
