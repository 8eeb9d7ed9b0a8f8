//! The registry.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use super::close::{Closing, ClosingAll};
use super::connection::Connection;
use super::held::{Held, Remains};
use super::options::{CloseOptions, PeerOptions};
use super::outcome::{CloseReason, Outcome};
use super::owner::Peer;
use super::record::{Record, Status};
use crate::event::{Observer, Watch};
use crate::id::{GroupId, IdError, PeerId};
use crate::runtime::{self, Runtime, StartError};
use crate::sync::Mutex;

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
        drop(self.registry.close_where(CloseReason::PeersDropped, true, |_| true));
    }
}

pub(crate) struct Registry {
    runtime: Option<Runtime>,
    close: CloseOptions,
    watch: Watch,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    peers: HashMap<PeerId, Weak<Record>>,
    detached: HashMap<PeerId, Arc<Record>>,
    remains: Remains,
    shut_down: bool,
}

/// Configures a [`Peers`].
#[derive(Default)]
#[must_use]
pub struct PeersBuilder {
    runtime: Option<Runtime>,
    close: CloseOptions,
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

    /// Who is told all that happens. Without one, nothing is spent on telling.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The empty set.
    #[must_use]
    pub fn build(self) -> Peers {
        let registry = Registry {
            runtime: self.runtime.or_else(runtime::current),
            close: self.close,
            watch: Watch::new(self.observer),
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
        let PeerOptions { id, group, runtime, close } = options;
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
            close: close.unwrap_or(registry.close),
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
        let closings =
            self.handle.registry.close_where(CloseReason::GroupClosed, false, |record| {
                record.status.group.as_ref().is_some_and(|own| own.as_str() == group.as_ref())
            });
        ClosingAll::new(!closings.is_empty(), closings)
    }

    /// Closes every peer, all at once. New ones may be opened meanwhile and after.
    pub fn close_all(&self) -> ClosingAll {
        let closings = self.handle.registry.close_where(CloseReason::AllClosed, false, |_| true);
        ClosingAll::new(true, closings)
    }

    /// Closes every peer, also those being opened, and refuses new ones from now on.
    pub fn shutdown(&self) -> ClosingAll {
        let closings = self.handle.registry.close_where(CloseReason::Shutdown, true, |_| true);
        ClosingAll::new(true, closings)
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
        self.handle.registry.records().iter().filter(|record| record.is_open()).count()
    }

    /// Whether every connection has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        shut_down: bool,
        chosen: impl Fn(&Record) -> bool,
    ) -> Vec<(PeerId, Closing)> {
        let records: Vec<_> = {
            let mut inner = self.inner.lock();
            inner.shut_down |= shut_down;
            inner.peers.values().filter_map(Weak::upgrade).collect()
        };
        records
            .iter()
            .filter(|record| !record.is_closed() && chosen(record))
            .map(|record| (record.status.id.clone(), record.close(reason)))
            .collect()
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
        self.inner.lock().forget(record);
    }
}

impl Inner {
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
    close: CloseOptions,
    registry: Arc<Registry>,
}

impl Reserved {
    pub(crate) fn insert(self, connection: Arc<dyn Connection>) -> Result<Peer, InsertError> {
        let Self { status, runtime, close, registry } = self;
        let weak = Arc::downgrade(&registry);
        let record = Record::new(Arc::clone(&status), connection, runtime, close, weak);
        let (known, have_grown);
        {
            let mut inner = registry.inner.lock();
            known = inner.peers.get(&status.id).and_then(Weak::upgrade);
            if inner.shut_down {
                return Err(InsertError::ShutDown);
            }
            if known.as_ref().is_some_and(|known| known.is_open()) {
                return Err(InsertError::Duplicate(status.id.clone()));
            }
            inner.peers.insert(status.id.clone(), Arc::downgrade(&record));
            let peers = inner.peers.len();
            inner.remains.reserve(peers);
            have_grown = inner.remains.have_grown();
        }
        drop(known);
        if have_grown {
            registry.held();
        }
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
            Self::Duplicate(_) | Self::ShutDown => None,
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
