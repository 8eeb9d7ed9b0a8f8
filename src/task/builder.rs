//! Starting a task.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::books::Books;
use super::handle::TaskHandle;
use super::record::TaskRecord;
use super::supervised::{Place, Supervised};

/// A task that is about to be started.
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

    /// Cancels the task if it has not ended this long after its start.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether the task, when the group is cancelled, is only asked, through the group's
    /// [token](super::TaskGroup::token), so that it can end in order. It is dropped when the time for
    /// that is over: the grace period of a close, or of [`TaskGroup::shutdown`](super::TaskGroup::shutdown).
    pub fn cooperative(mut self, cooperative: bool) -> Self {
        self.cooperative = cooperative;
        self
    }

    /// Starts it.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> TaskHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.start(future, |_| None)
    }

    /// Starts it; an error that it returns is its end, [`TaskEnd::Failed`](super::TaskEnd::Failed).
    #[track_caller]
    pub fn try_spawn<F, T, E>(self, future: F) -> TaskHandle<Result<T, E>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        self.start(future, |result| result.as_ref().err().map(ToString::to_string))
    }

    /// Starts one for each future.
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

    /// Starts one for each future; an error that one returns is its end, [`TaskEnd::Failed`](super::TaskEnd::Failed).
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
