//! Many tasks, and every one of their results.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::handle::TaskHandle;
use crate::runtime::{JoinError, WaitError, wait};

/// Tasks that were started together; it is awaited for the results of all, in their order.
///
/// One that fails, panics or is cancelled ends no other: each has its own result. Dropping the
/// batch detaches its tasks, which still belong to their group.
///
/// # Cancel safety
///
/// Nothing is lost: await again, by reference. The results are given once; after that there are
/// none.
#[must_use = "the tasks go on without their batch, and their results are lost"]
pub struct Batch<T> {
    tasks: Vec<TaskHandle<T>>,
    /// How many of them have given their results.
    ended: usize,
    results: Vec<Result<T, JoinError>>,
}

impl<T> Unpin for Batch<T> {}

impl<T> Batch<T> {
    pub(super) fn new(tasks: Vec<TaskHandle<T>>) -> Self {
        Self { results: Vec::with_capacity(tasks.len()), ended: 0, tasks }
    }

    /// The tasks, in their order: to abort one of them, or to see how it ended.
    #[must_use]
    pub fn tasks(&self) -> &[TaskHandle<T>] {
        &self.tasks
    }

    /// Ends every task at its next suspension point.
    pub fn abort(&self) {
        self.tasks.iter().for_each(TaskHandle::abort);
    }

    /// Blocks this thread until every task has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`TaskHandle::wait`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Vec<Result<T, JoinError>>, WaitError> {
        wait(self, timeout)
    }
}

impl<T> Future for Batch<T> {
    type Output = Vec<Result<T, JoinError>>;

    /// One after the other: they all go on by themselves, and this only collects.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        while let Some(task) = this.tasks.get_mut(this.ended) {
            let result = ready!(Pin::new(task).poll(cx));
            this.results.push(result);
            this.ended += 1;
        }
        Poll::Ready(std::mem::take(&mut this.results))
    }
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("tasks", &self.tasks).field("ended", &self.ended).finish()
    }
}
