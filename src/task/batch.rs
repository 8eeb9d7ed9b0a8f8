//! `Batch`: the handle of several tasks.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::handle::TaskHandle;
use crate::runtime::{JoinError, WaitError, wait};

/// A handle to several tasks, returned by
/// [`TaskBuilder::spawn_all`](super::TaskBuilder::spawn_all).
///
/// Awaiting the batch returns the results of all tasks, in the order in which they were started. A
/// task that fails, panics or is cancelled does not affect the others. Dropping the batch does not
/// stop the tasks; they still belong to their group.
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use anypeer::runtime::SmolSpawner;
/// use anypeer::task::TaskGroup;
///
/// smol::block_on(async {
///     let group = TaskGroup::new(SmolSpawner::new())?;
///     let squares = group.task("square").spawn_all((1..=3).map(|n| async move { n * n }));
///     assert_eq!(squares.await, [Ok(1), Ok(4), Ok(9)]);
///     Ok::<(), anypeer::runtime::StartError>(())
/// })
/// # .unwrap() }
/// ```
///
/// # Cancel safety
///
/// Cancel safe if it is awaited by reference: when that future is dropped, the batch can be awaited
/// again. The results are returned once. Awaiting the batch after that returns an empty list.
#[must_use = "the tasks continue without the batch, but their results are lost"]
pub struct Batch<T> {
    tasks: Vec<TaskHandle<T>>,
    /// The number of tasks whose results were collected.
    ended: usize,
    results: Vec<Result<T, JoinError>>,
}

impl<T> Unpin for Batch<T> {}

impl<T> Batch<T> {
    pub(super) fn new(tasks: Vec<TaskHandle<T>>) -> Self {
        Self { results: Vec::with_capacity(tasks.len()), ended: 0, tasks }
    }

    /// Returns the handles of the tasks, in the order in which they were started, for instance to
    /// abort one of them.
    #[must_use]
    pub fn tasks(&self) -> &[TaskHandle<T>] {
        &self.tasks
    }

    /// Cancels every task at its next suspension point. This does not wait for the tasks.
    pub fn abort(&self) {
        self.tasks.iter().for_each(TaskHandle::abort);
    }

    /// Blocks this thread until every task has ended, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`TaskHandle::wait`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Vec<Result<T, JoinError>>, WaitError> {
        wait(self, timeout)
    }
}

impl<T> Future for Batch<T> {
    type Output = Vec<Result<T, JoinError>>;

    /// Collects the results in order. The tasks make progress without being polled here.
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
