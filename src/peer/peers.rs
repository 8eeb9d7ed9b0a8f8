//! The registry.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::close::{Closing, ClosingAll};
use super::connection::Connection;
use super::held::{Held, Remains};
use super::options::{CloseOptions, DEFAULT_HANDLER_BUDGET, PeerOptions};
use super::outcome::{CloseReason, Outcome};
use super::owner::Peer;
use super::reaper::{self, ReaperOptions};
use super::record::{Record, RecordOptions, Status};
use crate::event::{Observer, Watch};
use crate::id::{GroupId, IdError, PeerId};
use crate::runtime::{self, JoinHandle, Runtime, StartError};
use crate::sync::atomic::Ordering;
use crate::sync::{Event, Mutex, OnceLock, wake_all};
use crate::task::{Owner, StuckTasks, TaskGroup};

/// A set of peers that are closed together, like the tasks of a task group.
///
/// Clones are handles to the same set. It knows its peers weakly: a peer belongs to its
/// [`Peer`]s, unless it was [detached](Peer::detach). But none outlives its set: **when the last
/// handle is dropped, every peer in it is closed**, also one that a reference cycle keeps alive.
#[derive(Clone)]
pub struct Peers {
    handle: Arc<Handle>,
}

/// What all handles share; its drop is the end of the set.
struct Handle {
    registry: Arc<Registry>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.registry.take_no_more(Intake::ShutDown);
        drop(self.registry.close_where(CloseReason::PeersDropped, |_| true));
        if let Some(tasks) = self.registry.tasks.get() {
            tasks.cancel();
        }
    }
}

pub(crate) struct Registry {
    runtime: Option<Runtime>,
    options: RecordOptions,
    limits: Limits,
    watch: Watch,
    /// The set's own tasks, once it has had any.
    tasks: OnceLock<TaskGroup>,
    /// Told when the last open peer goes.
    idle: Event,
    inner: Mutex<Inner>,
}

/// How many peers there may be.
#[derive(Clone, Copy, Default)]
struct Limits {
    all: Option<usize>,
    per_group: Option<usize>,
}

/// Whether new peers are taken.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Intake {
    #[default]
    Open,
    Draining,
    ShutDown,
}

#[derive(Default)]
struct Inner {
    peers: HashMap<PeerId, Weak<Record>>,
    detached: HashMap<PeerId, Arc<Record>>,
    remains: Remains,
    intake: Intake,
    /// How many have not ended, in all and in each group that has any.
    open: usize,
    groups: HashMap<GroupId, usize>,
    /// Whether the reaper is at work.
    reaping: bool,
}

/// Configures a [`Peers`].
#[derive(Default)]
#[must_use]
pub struct PeersBuilder {
    runtime: Option<Runtime>,
    close: CloseOptions,
    reaper: ReaperOptions,
    handler_budget: Option<Duration>,
    limits: Limits,
    timed_tasks: bool,
    observer: Option<Arc<dyn Observer>>,
}

impl PeersBuilder {
    /// The runtime of peers that name none. By default the one that is
    /// [current](crate::runtime::current) when `build` is called, or else when a peer is opened,
    /// or else the background one.
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// The bounds of closes of peers that set none.
    pub fn close(mut self, close: CloseOptions) -> Self {
        self.close = close;
        self
    }

    /// When peers that do not say so themselves are closed without being asked.
    pub fn reaper(mut self, reaper: ReaperOptions) -> Self {
        self.reaper = reaper;
        self
    }

    /// How long a callback may hold its driver before that is told, for peers that say nothing
    /// else; by default [`DEFAULT_HANDLER_BUDGET`].
    pub fn handler_budget(mut self, budget: Duration) -> Self {
        self.handler_budget = Some(budget);
        self
    }

    /// How many peers may be open at once; by default there is no limit. One more is refused:
    /// [`InsertError::Full`]. A peer counts until its connection has ended.
    pub fn max_peers(mut self, limit: usize) -> Self {
        self.limits.all = Some(limit);
        self
    }

    /// How many peers of one group may be open at once; by default there is no limit. One more is
    /// refused: [`InsertError::GroupFull`].
    pub fn max_peers_per_group(mut self, limit: usize) -> Self {
        self.limits.per_group = Some(limit);
        self
    }

    /// Times every poll of the peers' tasks; see [`TaskInfo::polls`](crate::task::TaskInfo::polls).
    pub fn timed_tasks(mut self) -> Self {
        self.timed_tasks = true;
        self
    }

    /// Who is told all that happens. Without one, nothing is spent on telling.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The empty set.
    #[must_use]
    pub fn build(self) -> Peers {
        let Self { runtime, close, reaper, handler_budget, limits, timed_tasks, observer } = self;
        let handler_budget = handler_budget.unwrap_or(DEFAULT_HANDLER_BUDGET);
        let registry = Registry {
            runtime: runtime.or_else(runtime::current),
            options: RecordOptions { close, reaper, handler_budget, timed_tasks },
            limits,
            watch: Watch::new(observer),
            tasks: OnceLock::new(),
            idle: Event::new(),
            inner: Mutex::default(),
        };
        Peers { handle: Arc::new(Handle { registry: Arc::new(registry) }) }
    }
}

impl fmt::Debug for PeersBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeersBuilder")
            .field("runtime", &self.runtime)
            .field("close", &self.close)
            .field("reaper", &self.reaper)
            .finish_non_exhaustive()
    }
}

impl Default for Peers {
    fn default() -> Self {
        Self::new()
    }
}

impl Peers {
    /// An empty set with default options.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Configures one.
    pub fn builder() -> PeersBuilder {
        PeersBuilder::default()
    }

    /// Registers a connection of any kind. For one of the `webrtc` crate see [`crate::webrtc`].
    ///
    /// # Errors
    ///
    /// [`InsertError`] says why it was not registered; the connection is then untouched.
    pub fn insert(
        &self,
        connection: Arc<dyn Connection>,
        options: PeerOptions,
    ) -> Result<Peer, InsertError> {
        self.reserve(options)?.insert(connection)
    }

    /// Checks what can be checked before there is a connection.
    pub(crate) fn reserve(&self, options: PeerOptions) -> Result<Reserved, InsertError> {
        let PeerOptions { id, group, runtime, close, reaper, handler_budget } = options;
        let registry = &self.handle.registry;
        let id = id.map_or_else(|| Ok(PeerId::generate()), PeerId::new)?;
        let group = group.map(GroupId::new).transpose()?;
        // Closes are coordinated there: once it runs, nothing that a close needs can fail.
        let background = Runtime::background()?;
        let runtime = runtime
            .or_else(|| registry.runtime.clone())
            .or_else(runtime::current)
            .unwrap_or(background);
        let status = Status { id, group, watch: registry.watch.clone() };
        Ok(Reserved {
            status: Arc::new(status),
            runtime,
            options: RecordOptions {
                close: close.unwrap_or(registry.options.close),
                reaper: reaper.unwrap_or(registry.options.reaper),
                handler_budget: handler_budget.unwrap_or(registry.options.handler_budget),
                ..registry.options
            },
            registry: Arc::clone(registry),
        })
    }

    /// Closes a peer. The close has started when this returns; it never waits, and may be called
    /// in any thread and context.
    ///
    /// An unknown id ends in [`Outcome::NotFound`], and nothing is closed.
    pub fn close(&self, id: impl AsRef<str>) -> Closing {
        let record = self.handle.registry.get(id.as_ref());
        record.map_or_else(
            || Closing::ready(Outcome::NotFound),
            |record| record.close(CloseReason::Requested),
        )
    }

    /// Closes every peer of a group, all at once.
    ///
    /// A group without an open peer is [not found](super::Report::found), and nothing is closed.
    pub fn close_group(&self, group: impl AsRef<str>) -> ClosingAll {
        let closings = self.handle.registry.close_where(CloseReason::GroupClosed, |record| {
            record.status.group.as_ref().is_some_and(|own| own.as_str() == group.as_ref())
        });
        ClosingAll::new(!closings.is_empty(), closings)
    }

    /// Closes every peer, all at once. New ones may be opened meanwhile and after.
    pub fn close_all(&self) -> ClosingAll {
        let closings = self.handle.registry.close_where(CloseReason::AllClosed, |_| true);
        ClosingAll::new(true, closings)
    }

    /// Refuses new peers from now on ([`InsertError::Draining`]), and closes none: for a server
    /// that lets its connections end by themselves. [`idle`](Self::idle) says when they have.
    pub fn drain(&self) {
        self.handle.registry.take_no_more(Intake::Draining);
    }

    /// Completes when no peer is open.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn idle(&self) {
        let registry = &self.handle.registry;
        loop {
            let gone = registry.idle.listen();
            if self.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// Closes every peer, also those being opened, ends the set's own [tasks](Self::tasks), and
    /// refuses new ones from now on.
    pub fn shutdown(&self) -> ClosingAll {
        let registry = &self.handle.registry;
        registry.take_no_more(Intake::ShutDown);
        let closings = registry.close_where(CloseReason::Shutdown, |_| true);
        ClosingAll::new(true, closings).with_tasks(registry.stop_tasks())
    }

    /// The tasks that belong to the set and to none of its peers. They run on its runtime, or on
    /// the [current](crate::runtime::current) one, or on the background one.
    ///
    /// [`shutdown`](Self::shutdown) and the drop of the last handle end them. A task that holds a
    /// handle to its own set keeps that from being dropped.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the background executor cannot be started.
    pub fn tasks(&self) -> Result<&TaskGroup, StartError> {
        let registry = &self.handle.registry;
        let background = Runtime::background()?;
        let tasks = registry.tasks.get_or_init(|| {
            let runtime = registry.runtime.clone().or_else(runtime::current);
            let watch = registry.watch.clone();
            let (owner, timed) = (Owner { peer: None, watch }, registry.options.timed_tasks);
            let tasks = TaskGroup::owned(runtime.unwrap_or(background), owner, timed);
            #[cfg(feature = "test-util")]
            crate::test_util::know_group(&tasks, Some(Arc::downgrade(registry)));
            tasks
        });
        // Whoever shuts down first says so, and then looks for tasks.
        if registry.inner.lock().intake == Intake::ShutDown {
            tasks.cancel();
        }
        Ok(tasks)
    }

    /// The ids of the peers whose connections have not ended.
    #[must_use]
    pub fn ids(&self) -> Vec<PeerId> {
        let records = self.handle.registry.records();
        records.iter().filter(|record| record.is_open()).map(|r| r.status.id.clone()).collect()
    }

    /// How many peers have a connection that has not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.handle.registry.inner.lock().open
    }

    /// Whether every connection has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn registry(&self) -> Weak<Registry> {
        Arc::downgrade(&self.handle.registry)
    }

    /// The closed peers of which the application still holds something, and what.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        self.handle.registry.held()
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("len", &self.len()).finish_non_exhaustive()
    }
}

// Dropping the last reference to a record takes the registry's lock: nothing here may let go of a
// record while it holds that lock.
impl Registry {
    fn get(&self, id: &str) -> Option<Arc<Record>> {
        self.inner.lock().peers.get(id).and_then(Weak::upgrade)
    }

    fn records(&self) -> Vec<Arc<Record>> {
        self.inner.lock().peers.values().filter_map(Weak::upgrade).collect()
    }

    fn close_where(
        &self,
        reason: CloseReason,
        chosen: impl Fn(&Record) -> bool,
    ) -> Vec<(PeerId, Closing)> {
        self.records()
            .iter()
            .filter(|record| !record.is_closed() && chosen(record))
            .map(|record| (record.status.id.clone(), record.close(reason)))
            .collect()
    }

    fn take_no_more(&self, intake: Intake) {
        let mut inner = self.inner.lock();
        inner.intake = inner.intake.max(intake);
    }

    /// Ends the set's own tasks, within the bound of its closes.
    fn stop_tasks(&self) -> Option<JoinHandle<StuckTasks>> {
        let tasks = self.tasks.get()?;
        let (timeout, grace) = self.options.close.bounds();
        Some(Runtime::spawn_background(tasks.shutdown(grace, timeout)))
    }

    /// The open peers; or `None`, with which the reaper's work is over.
    pub(super) fn to_reap(&self) -> Option<Vec<Arc<Record>>> {
        let mut inner = self.inner.lock();
        inner.reaping = inner.open > 0;
        inner.reaping.then(|| inner.peers.values().filter_map(Weak::upgrade).collect())
    }

    /// Takes a record that has ended out of the numbers, once.
    pub(super) fn uncount(&self, record: &Record) {
        if !record.counted.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut inner = self.inner.lock();
        inner.open -= 1;
        if let Some(group) = &record.status.group
            && let Some(open) = inner.groups.get_mut(group)
        {
            *open -= 1;
            if *open == 0 {
                inner.groups.remove(group);
            }
        }
        let idle = inner.open == 0;
        drop(inner);
        if idle {
            wake_all(&self.idle);
        }
    }

    /// Takes ownership of an open record; false if it has ended already.
    pub(super) fn keep(&self, record: &Arc<Record>) -> bool {
        let mut inner = self.inner.lock();
        let open = record.is_open();
        if open {
            inner.detached.insert(record.status.id.clone(), Arc::clone(record));
        }
        open
    }

    /// Takes note that a record is closed: its id is free, what is held of it is watched.
    pub(super) fn closed(&self, record: &Arc<Record>) {
        self.uncount(record);
        let holders = record.connection.holders();
        let mut inner = self.inner.lock();
        if let Some(holders) = holders {
            inner.remains.add(record.status.id.clone(), holders);
        }
        let detached = match inner.detached.get(&record.status.id) {
            Some(kept) if Arc::ptr_eq(kept, record) => inner.detached.remove(&record.status.id),
            _ => None,
        };
        if detached.is_some() {
            // It has no owner: whoever asks for it now finds nothing.
            inner.forget(record);
        }
        drop(inner);
        drop(detached);
    }

    /// What is held of closed peers; what is not is forgotten.
    fn held(&self) -> Vec<Held> {
        let remains = self.inner.lock().remains.to_vec();
        let (mut held, mut free) = (Vec::new(), Vec::new());
        for remain in remains {
            match remain.held() {
                Some(by) => held.push(by),
                None => free.push(remain.number),
            }
        }
        let forgotten = self.inner.lock().remains.forget(&free);
        drop(forgotten);
        held
    }

    pub(super) fn keeps(&self, record: &Record) -> bool {
        let inner = self.inner.lock();
        let kept = inner.detached.get(&record.status.id);
        kept.is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), record))
    }

    /// Called by the record's drop.
    pub(super) fn forget(&self, record: &Record) {
        self.uncount(record);
        self.inner.lock().forget(record);
    }
}

impl Inner {
    /// Whether a new peer may come in; `known` is the last one of that id.
    fn admits(
        &self,
        status: &Status,
        known: Option<&Record>,
        limits: Limits,
    ) -> Result<(), InsertError> {
        match self.intake {
            Intake::Open => {}
            Intake::Draining => return Err(InsertError::Draining),
            Intake::ShutDown => return Err(InsertError::ShutDown),
        }
        if known.is_some_and(Record::is_open) {
            return Err(InsertError::Duplicate(status.id.clone()));
        }
        if let Some(limit) = limits.all.filter(|limit| self.open >= *limit) {
            return Err(InsertError::Full { limit });
        }
        if let (Some(group), Some(limit)) = (&status.group, limits.per_group)
            && self.groups.get(group).is_some_and(|open| *open >= limit)
        {
            return Err(InsertError::GroupFull { group: group.clone(), limit });
        }
        Ok(())
    }

    /// Forgets a record, unless its id is another's by now.
    fn forget(&mut self, record: &Record) {
        let id = &record.status.id;
        if self.peers.get(id).is_some_and(|known| std::ptr::eq(known.as_ptr(), record)) {
            self.peers.remove(id);
        }
    }
}

/// A peer to be: checked, not yet registered.
pub(crate) struct Reserved {
    pub(crate) status: Arc<Status>,
    pub(crate) runtime: Runtime,
    options: RecordOptions,
    registry: Arc<Registry>,
}

impl Reserved {
    #[cfg(feature = "webrtc")]
    pub(crate) fn handler_budget(&self) -> Duration {
        self.options.handler_budget
    }

    pub(crate) fn insert(self, connection: Arc<dyn Connection>) -> Result<Peer, InsertError> {
        let Self { status, runtime, options, registry } = self;
        let weak = Arc::downgrade(&registry);
        let (record, known, have_grown, reap);
        {
            let mut inner = registry.inner.lock();
            known = inner.peers.get(&status.id).and_then(Weak::upgrade);
            inner.admits(&status, known.as_deref(), registry.limits)?;
            record = Record::new(Arc::clone(&status), connection, runtime, options, weak);
            inner.open += 1;
            if let Some(group) = &status.group {
                *inner.groups.entry(group.clone()).or_default() += 1;
            }
            reap = record.reaping.is_on() && !inner.reaping;
            inner.reaping |= reap;
            inner.peers.insert(status.id.clone(), Arc::downgrade(&record));
            let peers = inner.peers.len();
            inner.remains.reserve(peers);
            have_grown = inner.remains.have_grown();
        }
        drop(known);
        if reap {
            reaper::start(Arc::downgrade(&registry));
        }
        if have_grown {
            registry.held();
        }
        #[cfg(feature = "test-util")]
        crate::test_util::know_peer(&record);
        record.opened();
        Ok(Peer::new(record))
    }
}

/// Why a connection was not registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InsertError {
    /// The id or the group is no id.
    Id(IdError),
    /// An open peer has that id.
    Duplicate(PeerId),
    /// As many peers are open as there may be.
    Full {
        /// How many may be.
        limit: usize,
    },
    /// As many peers of the group are open as there may be.
    GroupFull {
        /// Which group.
        group: GroupId,
        /// How many may be.
        limit: usize,
    },
    /// The [`Peers`] takes no new peers, and lets those that it has end.
    Draining,
    /// The [`Peers`] was shut down.
    ShutDown,
    /// The thread that coordinates closes could not be started.
    Start(StartError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(error) => error.fmt(f),
            Self::Duplicate(id) => write!(f, "an open peer has the id {:?}", id.as_str()),
            Self::Full { limit } => write!(f, "as many peers are open as there may be: {limit}"),
            Self::GroupFull { group, limit } => {
                write!(f, "as many peers of {:?} are open as there may be: {limit}", group.as_str())
            }
            Self::Draining => f.write_str("the set of peers is draining and takes no new ones"),
            Self::ShutDown => f.write_str("the set of peers was shut down"),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InsertError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Id(error) => Some(error),
            Self::Start(error) => Some(error),
            Self::Duplicate(_)
            | Self::Full { .. }
            | Self::GroupFull { .. }
            | Self::Draining
            | Self::ShutDown => None,
        }
    }
}

impl From<IdError> for InsertError {
    fn from(error: IdError) -> Self {
        Self::Id(error)
    }
}

impl From<StartError> for InsertError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}
