//! Tasks that belong together.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "test-util")]
use std::sync::Weak;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use slab::Slab;

use super::batch::Batch;
use super::end::{CancelReason, TaskEnd};
use super::handle::TaskHandle;
use super::record::{Record, Stop, TaskId, TaskInfo};
use super::stuck::StuckTasks;
use super::supervised::{Place, Supervised};
use super::token::CancellationToken;
use crate::event::{Event, Observer, Watch};
use crate::id::PeerId;
use crate::runtime::{JoinHandle, Runtime, StartError, time};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{EventListener, Mutex, wake_all};

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
    group: Arc<Group>,
    _handle: Arc<Handle>,
}

/// What all handles share, and no task does; its drop cancels the group.
struct Handle {
    group: Arc<Group>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.group.cancel();
    }
}

/// Whose tasks they are, and who is told of them.
pub(crate) struct Owner {
    pub(crate) peer: Option<PeerId>,
    pub(crate) watch: Watch,
}

pub(crate) struct Group {
    runtime: Runtime,
    pub(super) owner: Owner,
    pub(super) timed: bool,
    token: CancellationToken,
    /// [`ONE`] for each counted task that has not ended, [`AWAITED`] and [`CANCELLED`].
    counted: AtomicUsize,
    idle: crate::sync::Event,
    recorded: Mutex<Recorded>,
    /// How many of the recorded ones are to be dropped at their next poll: mostly none, and then
    /// no poll needs the lock.
    stopping: AtomicUsize,
}

const ONE: usize = 4;
/// Somebody waits for there to be none.
const AWAITED: usize = 1;
/// There will be no more.
const CANCELLED: usize = 2;

#[derive(Default)]
struct Recorded {
    tasks: Slab<Record>,
    cancelled: bool,
}

/// Configures a [`TaskGroup`].
#[must_use]
pub struct TaskGroupBuilder {
    runtime: Runtime,
    observer: Option<Arc<dyn Observer>>,
    timed: bool,
}

impl TaskGroupBuilder {
    /// Times every poll of every recorded task: see [`TaskInfo::polls`].
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Who is told of the beginnings and ends of recorded tasks.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The empty group.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that deadlines need could not be started.
    pub fn build(self) -> Result<TaskGroup, StartError> {
        Runtime::background()?;
        let owner = Owner { peer: None, watch: Watch::new(self.observer) };
        let group = TaskGroup::owned(self.runtime, owner, self.timed);
        #[cfg(feature = "test-util")]
        crate::test_util::know_group(&group, None);
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
        TaskGroupBuilder { runtime: runtime.into(), observer: None, timed: false }
    }

    /// A group of somebody's. The background executor runs already.
    pub(crate) fn owned(runtime: Runtime, owner: Owner, timed: bool) -> Self {
        let group = Group {
            runtime,
            owner,
            timed,
            token: CancellationToken::new(),
            counted: AtomicUsize::new(0),
            idle: crate::sync::Event::new(),
            recorded: Mutex::default(),
            stopping: AtomicUsize::new(0),
        };
        let group = Arc::new(group);
        Self { _handle: Arc::new(Handle { group: Arc::clone(&group) }), group }
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn downgrade(&self) -> Weak<Group> {
        Arc::downgrade(&self.group)
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
        TaskBuilder { group: self, name, timeout: None, cooperative: false }
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
        match Counted::new(group) {
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
        Idle { group: Arc::clone(&self.group), listener: None }
    }

    /// Cancels every task and waits for them; after `grace` the cooperative ones are dropped too,
    /// and after `timeout` in all nobody is waited for any longer. The answer names those that
    /// would not stop.
    ///
    /// # Cancel safety
    ///
    /// The tasks are cancelled when this is called. Dropped before its end it drops no cooperative
    /// task; call it again.
    pub fn shutdown(
        &self,
        grace: Duration,
        timeout: Duration,
    ) -> impl Future<Output = StuckTasks> + Send + use<> {
        let start = Instant::now();
        self.shutdown_by(time::after(start, grace.min(timeout)), time::after(start, timeout))
    }

    pub(crate) fn shutdown_by(
        &self,
        grace: Instant,
        deadline: Instant,
    ) -> impl Future<Output = StuckTasks> + Send + use<> {
        let group = Arc::clone(&self.group);
        group.cancel();
        async move {
            let mut idle = Idle { group: Arc::clone(&group), listener: None };
            if time::by(grace, &mut idle).await.is_none() {
                group.stop(true);
                time::by(deadline, idle).await;
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
            .field("peer", &self.group.owner.peer)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A task that is about to be started.
#[derive(Clone, Copy)]
#[must_use = "nothing is started before `spawn`"]
pub struct TaskBuilder<'a> {
    group: &'a TaskGroup,
    name: &'static str,
    timeout: Option<Duration>,
    cooperative: bool,
}

impl TaskBuilder<'_> {
    /// Cancels the task if it has not ended this long after its start.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// When the group is cancelled the task is only asked, through the group's
    /// [token](TaskGroup::token), so that it can end in order. It is dropped when the time for
    /// that is over: the grace period of a close, or of [`TaskGroup::shutdown`].
    pub fn cooperative(mut self) -> Self {
        self.cooperative = true;
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

    /// Starts it; an error that it returns is its end, [`TaskEnd::Failed`].
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

    /// Starts one for each future; an error that one returns is its end, [`TaskEnd::Failed`].
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
        let group = &self.group.group;
        let record = Record::new(self.name, Location::caller(), self.cooperative);
        let id = record.id;
        let place = group.add(record);
        let deadline = self.timeout.map(|timeout| Box::new(time::sleep(timeout)));
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

impl Group {
    /// Gives a task its place in the books.
    #[inline]
    fn add(&self, record: Record) -> usize {
        if self.owner.watch.is_attached() {
            let task = &record.info(self);
            self.owner.watch.tell(|| Event::TaskStarted { task });
        }
        let mut recorded = self.recorded.lock();
        let cancelled = recorded.cancelled;
        let place = recorded.tasks.insert(record);
        if cancelled {
            self.cancel_one(&mut recorded.tasks[place], CancelReason::Group, true);
        }
        place
    }

    /// Tells a task's end, and strikes the task off the books; `last_poll` is when its last poll
    /// started, where polls are timed.
    #[inline]
    pub(super) fn remove(&self, place: usize, end: &TaskEnd, last_poll: Option<Instant>) {
        if self.owner.watch.is_attached() {
            if let Some(start) = last_poll {
                self.polled(place, start.elapsed());
            }
            let task = self.recorded.lock().tasks.get(place).map(|record| record.info(self));
            if let Some(task) = &task {
                self.owner.watch.tell(|| Event::TaskEnded { task, end });
            }
        }
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.try_remove(place);
        let empty = recorded.tasks.is_empty();
        drop(recorded);
        if record.is_some_and(|record| record.stopping) {
            self.stopping.fetch_sub(1, Ordering::AcqRel);
        }
        if empty && self.counted.load(Ordering::Acquire) & AWAITED != 0 {
            wake_all(&self.idle);
        }
    }

    /// Why the task there is to be dropped now, if it is.
    #[inline]
    pub(super) fn is_stopping(&self, place: usize) -> Option<CancelReason> {
        if self.stopping.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.recorded.lock().tasks.get(place).and_then(Record::stops)
    }

    /// Keeps a waker for whoever asks the task there to stop; says why, if somebody has.
    pub(super) fn wait(&self, place: usize, waker: &Waker) -> Option<CancelReason> {
        let waker = Some(waker.clone());
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.get_mut(place)?;
        let old = std::mem::replace(&mut record.waker, waker);
        let stops = record.stops();
        drop(recorded);
        drop(old);
        stops
    }

    /// Takes note of a poll.
    pub(super) fn polled(&self, place: usize, took: Duration) {
        if let Some(record) = self.recorded.lock().tasks.get_mut(place) {
            record.polls.add(took);
        }
    }

    pub(super) fn info(&self, place: usize, id: TaskId) -> Option<TaskInfo> {
        let recorded = self.recorded.lock();
        let record = recorded.tasks.get(place).filter(|record| record.id == id)?;
        Some(record.info(self))
    }

    /// Has one task dropped at its next poll.
    pub(super) fn abort_one(&self, place: usize, id: TaskId, reason: CancelReason) {
        let mut recorded = self.recorded.lock();
        let record = recorded.tasks.get_mut(place).filter(|record| record.id == id);
        let waker = record.and_then(|record| self.cancel_one(record, reason, true));
        drop(recorded);
        wake(waker);
    }

    /// Asks a task to stop, under the lock; the answer is to be woken without it.
    fn cancel_one(&self, record: &mut Record, reason: CancelReason, force: bool) -> Option<Waker> {
        match record.cancel(reason, force) {
            Stop::Asked => None,
            Stop::Forced(waker) => {
                self.stopping.fetch_add(1, Ordering::AcqRel);
                waker
            }
        }
    }

    fn cancel(&self) {
        self.recorded.lock().cancelled = true;
        self.counted.fetch_or(CANCELLED, Ordering::AcqRel);
        self.stop(false);
        self.token.cancel();
    }

    /// Has every task dropped at its next poll, by `force` also the cooperative ones.
    fn stop(&self, force: bool) {
        let mut recorded = self.recorded.lock();
        let tasks = recorded.tasks.iter_mut();
        let wakers: Vec<_> = tasks
            .filter_map(|(_, record)| self.cancel_one(record, CancelReason::Group, force))
            .collect();
        drop(recorded);
        wakers.into_iter().for_each(|waker| wake(Some(waker)));
    }

    /// In one expression: the lock is held while the counted ones are read, so that a counted task
    /// that starts a recorded one as its last act is seen in one place or the other.
    fn len(&self) -> usize {
        self.recorded.lock().tasks.len() + self.counted.load(Ordering::Acquire) / ONE
    }

    pub(crate) fn left(&self) -> StuckTasks {
        let unnamed = self.counted.load(Ordering::Acquire) / ONE;
        StuckTasks { named: self.infos(), unnamed }
    }

    fn infos(&self) -> Vec<TaskInfo> {
        self.recorded.lock().tasks.iter().map(|(_, record)| record.info(self)).collect()
    }
}

/// Wakes a task; its executor's waker is any code.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

/// One task of a group's, until it is dropped.
struct Counted(Arc<Group>);

impl Counted {
    #[inline]
    fn new(group: &Arc<Group>) -> Option<Self> {
        let before = group.counted.fetch_add(ONE, Ordering::AcqRel);
        let counted = Self(Arc::clone(group));
        (before & CANCELLED == 0).then_some(counted)
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        let before = self.0.counted.fetch_sub(ONE, Ordering::AcqRel);
        if before & AWAITED != 0 && before / ONE == 1 {
            wake_all(&self.0.idle);
        }
    }
}

pin_project! {
    /// A future that is counted until it is dropped.
    struct Tracked<F> {
        #[pin]
        future: F,
        _counted: Counted,
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

/// Completes when no task is left.
struct Idle {
    group: Arc<Group>,
    listener: Option<EventListener>,
}

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { group, listener } = self.get_mut();
        loop {
            if group.len() == 0 {
                *listener = None;
                return Poll::Ready(());
            }
            match listener {
                None => {
                    *listener = Some(group.idle.listen());
                    // Registered before this is said, and that before the tasks are counted again.
                    group.counted.fetch_or(AWAITED, Ordering::AcqRel);
                }
                Some(waiting) => match Pin::new(waiting).poll(cx) {
                    Poll::Ready(()) => *listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}
