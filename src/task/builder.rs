//! `TaskBuilder`: configures and starts a task.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::books::Books;
use super::handle::TaskHandle;
use super::record::TaskRecord;
use super::supervised::{Place, Supervised};

/// Configures a task of a group before it is started; see
/// [`TaskGroup::task`](super::TaskGroup::task).
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use std::time::Duration;
/// use anypeer::runtime::{JoinError, SmolSpawner};
/// use anypeer::task::TaskGroup;
///
/// smol::block_on(async {
///     let group = TaskGroup::new(SmolSpawner::new())?;
///
///     // A task with a timeout.
///     let slow = std::future::pending::<()>();
///     let lookup = group.task("lookup").timeout(Duration::from_millis(10)).spawn(slow);
///     assert_eq!(lookup.await, Err(JoinError::Cancelled));
///
///     // A task that cleans up when its group is cancelled.
///     let token = group.token().clone();
///     let writer = group.task("writer").cooperative(true).spawn(async move {
///         token.cancelled().await;
///         "flushed"
///     });
///     group.cancel();
///     assert_eq!(writer.await, Ok("flushed"));
///     Ok::<(), anypeer::runtime::StartError>(())
/// })
/// # .unwrap() }
/// ```
#[derive(Clone, Copy)]
#[must_use = "nothing is started before `spawn`"]
pub struct TaskBuilder<'a> {
    group: &'a Arc<Books>,
    name: &'static str,
    timeout: Option<Duration>,
    cooperative: bool,
}

impl<'a> TaskBuilder<'a> {
    pub(super) fn new(group: &'a Arc<Books>, name: &'static str) -> Self {
        Self { group, name, timeout: None, cooperative: false }
    }

    /// Cancels the task if it has not ended within `timeout` of its start. The task is dropped,
    /// even if it is [cooperative](Self::cooperative). Its end is
    /// [`TaskEnd::Cancelled`](super::TaskEnd::Cancelled) with the reason
    /// [`CancelReason::DeadlineExceeded`](super::CancelReason::DeadlineExceeded). By default there
    /// is no timeout.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets whether the task is cooperative: when its group is cancelled, a cooperative task is
    /// only asked to stop, so that it can clean up. By default a task is not cooperative, and is
    /// dropped.
    ///
    /// A cooperative task has to watch the group's [token](super::TaskGroup::token) and return when
    /// the token is cancelled. If it does not, it is dropped when the grace period of the peer's
    /// close, or of [`TaskGroup::shutdown`](super::TaskGroup::shutdown), is over.
    pub fn cooperative(mut self, cooperative: bool) -> Self {
        self.cooperative = cooperative;
        self
    }

    /// Starts the task.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> TaskHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.start(future, |_| None)
    }

    /// Starts a task that returns a `Result`. If it returns an error, the task's end is
    /// [`TaskEnd::Failed`](super::TaskEnd::Failed) with the error's text.
    #[track_caller]
    pub fn try_spawn<F, T, E>(self, future: F) -> TaskHandle<Result<T, E>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        self.start(future, |result| result.as_ref().err().map(ToString::to_string))
    }

    /// Starts a task for each future, all with the options of this builder.
    #[track_caller]
    pub fn spawn_all<F>(self, futures: impl IntoIterator<Item = F>) -> Batch<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let mut tasks = Vec::new();
        for future in futures {
            tasks.push(self.spawn(future));
        }
        Batch::new(tasks)
    }

    /// Starts a task for each future, all with the options of this builder. If a future returns an
    /// error, its task's end is [`TaskEnd::Failed`](super::TaskEnd::Failed) with the error's text.
    #[track_caller]
    pub fn try_spawn_all<F, T, E>(self, futures: impl IntoIterator<Item = F>) -> Batch<Result<T, E>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let mut tasks = Vec::new();
        for future in futures {
            tasks.push(self.try_spawn(future));
        }
        Batch::new(tasks)
    }

    #[track_caller]
    #[inline]
    fn start<F>(self, future: F, failure: fn(&F::Output) -> Option<String>) -> TaskHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let group = self.group;
        let clock = group.watch().clock();
        let record = TaskRecord::new(self.name, Location::caller(), self.cooperative, clock.now());
        let id = record.id;
        let place = group.add(record);
        let deadline = self.timeout.map(|timeout| Box::new(clock.sleep(timeout)));
        let task = Supervised::new(future, Place::new(Arc::clone(group), place), deadline, failure);
        let task = group.runtime.spawn(task);
        TaskHandle::new(Arc::clone(group), place, id, self.name, task)
    }
}

impl fmt::Debug for TaskBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskBuilder")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .field("cooperative", &self.cooperative)
            .finish_non_exhaustive()
    }
}
