//! Tasks that belong together.

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

/// Tasks that are cancelled and waited for together.
///
/// Clones are handles to the same group. A group that was cancelled stays so, and refuses new
/// tasks. **When the last handle is dropped the group is cancelled.**
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
///     assert_eq!(ticker.await, Err(JoinError::Cancelled));
///     group.idle().await;
///     Ok::<(), anypeer::runtime::StartError>(())
/// })
/// # .unwrap() }
/// ```
#[derive(Clone)]
pub struct TaskGroup {
    pub(super) group: Arc<Books>,
    _handle: Arc<Handle>,
}

/// What all handles share, and no task does; its drop cancels the group.
struct Handle {
    group: Arc<Books>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.group.cancel();
    }
}

/// Configures a [`TaskGroup`].
#[must_use]
pub struct TaskGroupBuilder {
    runtime: Runtime,
    observers: Vec<Arc<dyn Observer>>,
    timed: bool,
}

impl TaskGroupBuilder {
    /// Whether to time every poll of every recorded task: see [`TaskInfo::polls`]. By default not.
    pub fn timed(mut self, timed: bool) -> Self {
        self.timed = timed;
        self
    }

    /// One more who is told of the beginnings and ends of recorded tasks.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The empty group.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that deadlines need could not be started.
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
    /// A group of nobody's, whose tasks run on `runtime`.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that deadlines need could not be started.
    pub fn new(runtime: impl Into<Runtime>) -> Result<Self, StartError> {
        Self::builder(runtime).build()
    }

    /// Configures one.
    pub fn builder(runtime: impl Into<Runtime>) -> TaskGroupBuilder {
        TaskGroupBuilder { runtime: runtime.into(), observers: Vec::new(), timed: false }
    }

    /// A group of somebody's. The background executor runs already.
    pub(crate) fn owned(runtime: Runtime, owner: Owner, timed: bool) -> Self {
        let group = Arc::new(Books::new(runtime, owner, timed));
        Self { _handle: Arc::new(Handle { group: Arc::clone(&group) }), group }
    }

    /// Says that there is a group, before it has tasks.
    pub(crate) fn tell_created(&self) {
        let group = &self.downgrade();
        let kind = || EventKind::TaskGroupCreated { group };
        self.group.watch().tell(self.group.peer(), kind);
    }

    /// A reference that does not keep the group.
    #[must_use]
    pub fn downgrade(&self) -> WeakTaskGroup {
        self.group.downgrade()
    }

    /// Starts a task, recorded under `name`.
    ///
    /// When the group is cancelled it is dropped at its next suspension point. In a group that was
    /// cancelled already it ends so without having run.
    #[track_caller]
    pub fn spawn<F>(&self, name: &'static str, future: F) -> TaskHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.task(name).spawn(future)
    }

    /// Configures a task before it is started.
    pub fn task(&self, name: &'static str) -> TaskBuilder<'_> {
        TaskBuilder::new(&self.group, name)
    }

    /// Starts a task that is counted, no more: it is waited for, and neither named nor cancelled.
    /// It watches the [token](Self::token) itself, should it have to stop.
    ///
    /// In a group that was cancelled already it is refused: [`JoinError::Lost`].
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

    /// Cancelled with the group. Tasks may watch it, and hand it and its children on.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.group.token
    }

    /// Cancels every task, and refuses new ones from now on. Never waits.
    ///
    /// [Cooperative](TaskBuilder::cooperative) tasks are asked, and others dropped at their next
    /// suspension point.
    pub fn cancel(&self) {
        self.group.cancel();
    }

    /// [`cancel`](Self::cancel)s, and drops cooperative tasks too at their next suspension point.
    pub fn abort(&self) {
        self.group.cancel();
        self.group.stop(true);
    }

    /// Completes when no task is left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn idle(&self) -> impl Future<Output = ()> + Send + use<> {
        Idle::new(Arc::clone(&self.group))
    }

    /// Cancels every task and waits for them. After the grace period of `options` the cooperative
    /// ones are dropped too, and after its timeout nobody is waited for any longer. The answer names those that
    /// would not stop.
    ///
    /// # Cancel safety
    ///
    /// The tasks are cancelled when this is called. Dropped before its end it drops no cooperative
    /// task; call it again.
    pub fn shutdown(
        &self,
        options: CloseOptions,
    ) -> impl Future<Output = StuckTasks> + Send + use<> {
        let start = self.group.watch().now();
        let (timeout, grace) = options.bounds();
        self.shutdown_by(after(start, grace), after(start, timeout))
    }

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

    /// How many tasks have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// Whether every task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded tasks that have not ended, in no particular order.
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
