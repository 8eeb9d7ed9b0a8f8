//! The owners of a connection.

use std::any::Any;
use std::fmt;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::{Either, select};

use super::close::handles::Closing;
use super::close::request::Request;
use super::close::run;
use super::life::{End, Life};
use super::record::Record;
use crate::close_options::CloseOptions;
use crate::id::{GroupId, PeerId};
use crate::outcome::{CloseMode, CloseReason};
use crate::state::ConnectionState;
use crate::sync::OnceLock;
use crate::task::TaskGroup;

/// An owner of a connection.
///
/// Clones share the ownership. **When the last clone is dropped, the connection is closed**,
/// gracefully if possible, even if the application still holds the connection itself. The drop
/// starts the close and does not wait for it: it takes less than a millisecond, in any thread and
/// context, and never panics. [`detach`](Self::detach) hands the connection to its
/// [`Peers`](crate::Peers) instead.
#[derive(Clone)]
pub struct Peer {
    owner: Arc<Owner>,
}

/// The token that all clones of a [`Peer`] share, and its set once the peer is detached.
pub(super) struct Owner {
    pub(super) record: Arc<Record>,
    keeper: Weak<dyn Keeper>,
    cell: OwnerCell,
}

/// A set that can own a peer itself.
pub(super) trait Keeper: Send + Sync {
    /// Takes ownership of an open peer. Returns false if the peer has already ended.
    fn keep(&self, owner: &Arc<Owner>) -> bool;
}

impl Owner {
    /// The first owner of a peer. Whoever has `cell` finds it from now on.
    pub(super) fn new(record: Arc<Record>, keeper: Weak<dyn Keeper>, cell: OwnerCell) -> Arc<Self> {
        let owner = Arc::new(Self { record, keeper, cell });
        // A reservation is inserted once.
        let _first = owner.cell.set(Arc::downgrade(&owner));
        owner
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.record.is_closed() {
            drop(run::close(&self.record, CloseReason::Dropped));
        }
    }
}

impl Peer {
    pub(super) fn new(owner: Arc<Owner>) -> Self {
        Self { owner }
    }

    fn record(&self) -> &Arc<Record> {
        &self.owner.record
    }

    /// The peer's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.record().status.id
    }

    /// The group that the peer belongs to.
    #[must_use]
    pub fn group(&self) -> Option<&GroupId> {
        self.record().status.group.as_ref()
    }

    /// The application's data of the peer, as given to
    /// [`PeerOptions::data`](crate::PeerOptions::data), if it is a `T`.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.record().data.as_deref().and_then(|data| (data as &dyn Any).downcast_ref())
    }

    /// Closes the connection. The close has started when this returns. This never waits, and may be
    /// called in any thread and context.
    pub fn close(&self) -> Closing {
        run::close(self.record(), CloseReason::Requested)
    }

    /// [`close`](Self::close), with other bounds. A close that is already in progress keeps its own
    /// bounds.
    pub fn close_with(&self, options: CloseOptions) -> Closing {
        let request = Request { options: Some(options), ..CloseReason::Requested.into() };
        run::close_as(self.record(), request)
    }

    /// Closes the connection at once, by taking its driver and its sockets away. The remote side is
    /// told nothing.
    ///
    /// The outcome is closed by force, with the cause
    /// [`Aborted`](crate::peer::ForceCause::Aborted), or
    /// [`HandlerStalled`](crate::peer::ForceCause::HandlerStalled) if a callback has not released
    /// the driver after 100 ms. The peer's tasks are cancelled, also the cooperative ones. Tasks
    /// that have not ended after 100 ms are told as
    /// [`EventKind::TasksStuck`](crate::EventKind::TasksStuck). A close that is already in progress
    /// is forced.
    ///
    /// A connection of another stack that cannot be [aborted](super::Connection::abort) is closed
    /// as by [`close`](Self::close).
    pub fn abort(&self) -> Closing {
        run::close_as(self.record(), Request { abort: true, ..CloseReason::Requested.into() })
    }

    /// The tasks that belong to the peer. They run on the peer's runtime.
    ///
    /// A close of the peer cancels its tasks, and waits for them within the bound of the close.
    /// Tasks that do not stop are told as [`EventKind::TasksStuck`](crate::EventKind::TasksStuck);
    /// a close of a group or of all peers also names them in
    /// [`PeerReport::stuck`](super::PeerReport::stuck). Once a close has begun or the connection
    /// has ended, new tasks are refused. A task that holds a `Peer` of its own peer keeps the
    /// connection open: give the task a [`WeakPeer`].
    #[must_use]
    pub fn tasks(&self) -> &TaskGroup {
        self.record().tasks()
    }

    /// The current state of the connection; `None` for a connection that does not tell its state,
    /// such as an adopted one.
    #[must_use]
    pub fn connection_state(&self) -> Option<ConnectionState> {
        self.record().state()
    }

    /// Completes once the connection is [`Connected`](ConnectionState::Connected).
    ///
    /// By default no timeout is needed: the reaper
    /// [closes](crate::peer::ReaperOptions::never_connected) a peer that has not connected within a
    /// minute of its opening. Set a timeout of your own if that rule is off, if the connection was
    /// adopted or does not tell its state, or if it was connected before: the rule applies only to
    /// the first time.
    ///
    /// A callback of the peer's handler must not await this: the connection cannot get on until the
    /// callback has returned.
    ///
    /// ```
    /// use anypeer::Peer;
    ///
    /// async fn greet(peer: &Peer) {
    ///     match peer.connected().await {
    ///         Ok(()) => println!("{} is connected", peer.id()),
    ///         // "the peer has ended: never_connected"
    ///         Err(ended) => println!("{} is not: {ended}", peer.id()),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PeerEnded`] if the peer ends first: it did not connect in time, or was closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connected(&self) -> Result<(), PeerEnded> {
        self.wait_for(ConnectionState::Connected).await
    }

    /// Completes once the connection is in `state`, immediately if it already is. A state that the
    /// connection leaves again immediately may be missed. For [`Closed`](ConnectionState::Closed),
    /// the end of the peer is a success, not an error.
    ///
    /// For a connection that does not tell its state, this completes only when the connection ends.
    ///
    /// # Errors
    ///
    /// Returns [`PeerEnded`] if the peer ends first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_for(&self, state: ConnectionState) -> Result<(), PeerEnded> {
        let ended = self.wait_until(|| ready(self.connection_state() == Some(state))).await;
        if state == ConnectionState::Closed { Ok(()) } else { ended }
    }

    /// Completes once `holds` is true. It is evaluated again whenever a state of the connection has
    /// changed.
    pub(crate) async fn wait_until<F>(&self, holds: impl Fn() -> F) -> Result<(), PeerEnded>
    where
        F: Future<Output = bool>,
    {
        let status = &self.record().status;
        let mut ended = pin!(self.record().status.life.ended.wait());
        loop {
            // Listen before evaluating, so that no change is lost.
            let changed = status.changed.listen();
            if let Some(end) = self.record().status.life.ended.get() {
                return Err(PeerEnded::new(end));
            }
            if holds().await {
                return Ok(());
            }
            let changed = async {
                if self.record().reaping.is_told_of_changes() {
                    changed.await;
                } else {
                    status.clock().sleep(UNTOLD_STATE).await;
                }
            };
            if let Either::Left((end, _)) = select(ended.as_mut(), pin!(changed)).await {
                return Err(PeerEnded::new(end));
            }
        }
    }

    /// Completes when the connection has ended, whoever ended it, and returns the reason.
    ///
    /// This also completes when the peer was closed and its end cannot be
    /// [confirmed](crate::Outcome::Unconfirmed).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.record().status.life.ended.wait().await.reason
    }

    /// Why the connection ended; `None` while it has not ended.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.record().end.get().map(|end| end.reason)
    }

    /// How the connection ended; `None` while it has not ended, or if that cannot be observed.
    #[must_use]
    pub fn close_mode(&self) -> Option<CloseMode> {
        self.record().end.get().and_then(|End { mode, .. }| mode.clone())
    }

    /// Hands the connection to its [`Peers`](crate::Peers), which keeps it open until it is closed,
    /// or ends, or the set itself is dropped. [`WeakPeer::upgrade`] and
    /// [`Peers::get`](crate::Peers::get) still return the peer.
    ///
    /// To learn of the end of the peer, await [`WeakPeer::closed`] in a task of the set
    /// ([`Peers::tasks`](crate::Peers::tasks); the peer's own tasks end with the peer), or handle
    /// [`EventKind::Closed`](crate::EventKind::Closed) in an [`Observer`](crate::Observer).
    ///
    /// If the `Peers` was already dropped, `self` is dropped like any other owner.
    pub fn detach(self) {
        if let Some(keeper) = self.owner.keeper.upgrade() {
            keeper.keep(&self.owner);
        }
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn close_for(&self, reason: CloseReason) -> Closing {
        run::close(self.record(), reason)
    }

    /// Why the peer is being closed, or was closed.
    #[cfg(feature = "webrtc")]
    pub(crate) fn closing_for(&self) -> Option<CloseReason> {
        self.record().closing_for()
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn status(&self) -> &super::status::Status {
        &self.record().status
    }

    /// The connection, if it is a `C`.
    #[cfg(feature = "webrtc")]
    pub(crate) fn connection<C: super::Connection>(&self) -> Option<&C> {
        let connection: &dyn Any = &*self.record().connection;
        connection.downcast_ref()
    }

    /// A reference that does not own the connection, for the peer's own handler and for maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer::new(Arc::clone(&self.record().status.life), Arc::clone(&self.owner.cell))
    }
}

/// How often a connection that does not notify of changes is asked for its state.
const UNTOLD_STATE: Duration = Duration::from_millis(50);

/// The peer ended before the awaited state was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerEnded {
    /// Why the peer ended.
    pub reason: CloseReason,
    /// How the peer ended; `None` if that cannot be observed.
    pub mode: Option<CloseMode>,
}

impl PeerEnded {
    fn new(end: &End) -> Self {
        Self { reason: end.reason, mode: end.mode.clone() }
    }
}

impl fmt::Display for PeerEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer has ended: {}", self.reason)
    }
}

impl std::error::Error for PeerEnded {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", self.id())
            .field("state", &self.connection_state())
            .finish_non_exhaustive()
    }
}

/// A reference to a [`Peer`] that does not keep its connection open.
///
/// Use it in handlers and maps: a handler that holds the `Peer` of its own connection keeps the
/// connection open until somebody closes it. A `WeakPeer` can be upgraded as long as the peer has
/// an owner: a `Peer`, or the [`Peers`](crate::Peers) to which it was [detached](Peer::detach).
#[derive(Clone)]
pub struct WeakPeer {
    life: Arc<Life>,
    owner: OwnerCell,
}

/// The place of a peer's owner, which is filled when the peer is registered. The handler of a
/// connection is created before that.
pub(super) type OwnerCell = Arc<OnceLock<Weak<Owner>>>;

impl WeakPeer {
    pub(super) fn new(life: Arc<Life>, owner: OwnerCell) -> Self {
        Self { life, owner }
    }

    /// The peer, as long as it has an owner.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        self.owner.get()?.upgrade().map(Peer::new)
    }

    /// The peer's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.life.id
    }

    /// Completes when the connection has ended, and returns the reason; see [`Peer::closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.life.ended.wait().await.reason
    }

    /// Why the connection ended; `None` while it has not ended.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.life.ended.get().map(|end| end.reason)
    }
}

impl fmt::Debug for WeakPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakPeer").field(&self.life.id).finish()
    }
}
