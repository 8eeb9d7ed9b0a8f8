//! `TaskGroup`: tasks that are cancelled and waited for together.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::books::{Books, Owner};
use super::builder::TaskBuilder;
use super::counted::Tracked;
use super::handle::TaskHandle;
use super::idle::Idle;
use super::token::CancellationToken;
use crate::close_options::CloseOptions;
use crate::event::{EventKind, Observer, Watch};
use crate::runtime::clock::after;
use crate::runtime::{JoinHandle, Runtime, StartError};
use crate::task_info::{StuckTasks, TaskInfo, WeakTaskGroup};

/// A group of tasks that are cancelled and waited for together.
///
/// Each peer has a group ([`Peer::tasks`](crate::Peer::tasks)), which the close of the peer
/// cancels. Clones are handles to the same group. **When the last handle is dropped, the group is
/// cancelled.** A cancelled group stays cancelled, and runs no new tasks.
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use anypeer::runtime::{JoinError, SmolSpawner};
/// use anypeer::task::TaskGroup;
///
/// smol::block_on(async {
///     let group = TaskGroup::new(SmolSpawner::new())?;
///     assert_eq!(group.spawn("sum", async { 1 + 2 }).await, Ok(3));
///
///     let ticker = group.spawn("ticker", std::future::pending::<()>());
///     group.cancel();
///     group.idle().await; // Every task has ended.
///     assert_eq!(ticker.await, Err(JoinError::Cancelled));
///     Ok::<(), anypeer::runtime::StartError>(())
/// })
/// # .unwrap() }
/// ```
#[derive(Clone)]
pub struct TaskGroup {
    pub(super) group: Arc<Books>,
    _handle: Arc<Handle>,
}

/// Shared by all handles of a group, but not by its tasks. Dropping it cancels the group.
struct Handle {
    group: Arc<Books>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.group.cancel();
    }
}

/// Configures a [`TaskGroup`]; see [`TaskGroup::builder`].
#[must_use]
pub struct TaskGroupBuilder {
    runtime: Runtime,
    observers: Vec<Arc<dyn Observer>>,
    timed: bool,
}

impl TaskGroupBuilder {
    /// Sets whether every poll of every recorded task is timed; see [`TaskInfo::polls`]. By
    /// default, polls are not timed.
    pub fn timed(mut self, timed: bool) -> Self {
        self.timed = timed;
        self
    }

    /// Adds an observer, which receives an event when a recorded task starts and when it ends.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Creates the group, which has no tasks yet.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread that timeouts need cannot be started.
    pub fn build(self) -> Result<TaskGroup, StartError> {
        Runtime::background()?;
        let owner = Owner { peer: None, watch: Watch::new(self.observers, self.runtime.clock()) };
        let group = TaskGroup::owned(self.runtime, owner, self.timed);
        group.tell_created();
        #[cfg(feature = "test-util")]
        crate::known::know_group(group.downgrade(), None);
        Ok(group)
    }
}

impl fmt::Debug for TaskGroupBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroupBuilder")
            .field("runtime", &self.runtime)
            .field("timed", &self.timed)
            .finish_non_exhaustive()
    }
}

impl TaskGroup {
    /// Creates a group that belongs to no peer, and whose tasks run on `runtime`.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread that timeouts need cannot be started.
    pub fn new(runtime: impl Into<Runtime>) -> Result<Self, StartError> {
        Self::builder(runtime).build()
    }

    /// Returns a builder for a group that belongs to no peer, and whose tasks run on `runtime`.
    pub fn builder(runtime: impl Into<Runtime>) -> TaskGroupBuilder {
        TaskGroupBuilder { runtime: runtime.into(), observers: Vec::new(), timed: false }
    }

    /// Creates a group for an owner. The background executor must have been started.
    pub(crate) fn owned(runtime: Runtime, owner: Owner, timed: bool) -> Self {
        let group = Arc::new(Books::new(runtime, owner, timed));
        Self { _handle: Arc::new(Handle { group: Arc::clone(&group) }), group }
    }

    /// Reports the new group to its observers. Another thread may already have found the group, and
    /// started a task on it.
    pub(crate) fn tell_created(&self) {
        let group = &self.downgrade();
        let kind = || EventKind::TaskGroupCreated { group };
        self.group.watch().tell(self.group.peer(), kind);
    }

    /// Returns a reference that keeps neither the group nor its tasks alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakTaskGroup {
        self.group.downgrade()
    }

    /// Starts a task, and keeps a record of it under `name`.
    ///
    /// When the group is cancelled, the task is dropped at its next suspension point. If the group
    /// was cancelled before, the task ends as cancelled without having run. Use
    /// [`task`](Self::task) to set a timeout, or to let the task clean up.
    #[track_caller]
    pub fn spawn<F>(&self, name: &'static str, future: F) -> TaskHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.task(name).spawn(future)
    }

    /// Returns a builder for a recorded task with the name `name`.
    pub fn task(&self, name: &'static str) -> TaskBuilder<'_> {
        TaskBuilder::new(&self.group, name)
    }

    /// Starts a task that is only counted. The group waits for the task, but keeps no record of it
    /// and cannot cancel it: a task that has to stop must watch the [token](Self::token) itself.
    ///
    /// If the group was cancelled before, the future is dropped, and the handle returns
    /// [`JoinError::Lost`]. (In this case, the handle of [`spawn`](Self::spawn) returns
    /// `Cancelled`.)
    ///
    /// [`JoinError::Lost`]: crate::runtime::JoinError::Lost
    #[cfg_attr(feature = "tokio", track_caller)]
    #[inline]
    pub fn track<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let group = &self.group;
        match group.counted().add() {
            Some(counted) => group.runtime.spawn(Tracked { future, _counted: counted }),
            None => JoinHandle::refused(),
        }
    }

    /// Returns the group's token, which is cancelled when the group is cancelled. Tasks can watch
    /// it, and pass it or its children on. Cancelling the token itself does not cancel the group.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.group.token
    }

    /// Cancels every task, and refuses new ones from now on. This does not wait for the tasks.
    ///
    /// [Cooperative](TaskBuilder::cooperative) and [tracked](Self::track) tasks are asked to stop,
    /// through the [token](Self::token). All others are dropped at their next suspension point.
    pub fn cancel(&self) {
        self.group.cancel();
    }

    /// Cancels the group as [`cancel`](Self::cancel) does, and also drops cooperative tasks at
    /// their next suspension point.
    pub fn abort(&self) {
        self.group.cancel();
        self.group.stop(true);
    }

    /// Completes when the group has no tasks. This does not cancel any task.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn idle(&self) -> impl Future<Output = ()> + Send + use<> {
        Idle::new(Arc::clone(&self.group))
    }

    /// Cancels every task, waits for them, and returns the tasks that have not stopped.
    ///
    /// Cooperative tasks that have not ended after the grace period of `options` are dropped. The
    /// wait ends after the timeout of `options`, even if tasks have not stopped.
    ///
    /// # Cancel safety
    ///
    /// The group is cancelled by the call itself. If the future is dropped before the grace period
    /// is over, cooperative tasks are not dropped; call `shutdown` again.
    pub fn shutdown(
        &self,
        options: CloseOptions,
    ) -> impl Future<Output = StuckTasks> + Send + use<> {
        let start = self.group.watch().now();
        let (timeout, grace) = options.bounds();
        self.shutdown_by(after(start, grace), after(start, timeout))
    }

    /// As [`shutdown`](Self::shutdown), with instants of the group's clock.
    pub(crate) fn shutdown_by(
        &self,
        grace: Instant,
        deadline: Instant,
    ) -> impl Future<Output = StuckTasks> + Send + use<> {
        let group = Arc::clone(&self.group);
        group.cancel();
        async move {
            let clock = group.watch().clock();
            let mut idle = Idle::new(Arc::clone(&group));
            if clock.by(grace, &mut idle).await.is_none() {
                group.stop(true);
                clock.by(deadline, idle).await;
            }
            group.left()
        }
    }

    /// Returns the number of tasks that have not ended, recorded or only counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// Returns whether every task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns information about the recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.group.infos()
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("runtime", &self.group.runtime)
            .field("peer", &self.group.peer())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
