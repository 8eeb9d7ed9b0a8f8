//! Who a connection belongs to.

use std::any::Any;
use std::fmt;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::{Either, select};

use super::close::handles::Closing;
use super::close::run::{self, Request};
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
/// Clones share the ownership. **When the last one is dropped the connection is closed**,
/// gracefully if it can be, also if the application still holds the connection itself. The drop
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
    /// Takes ownership of a peer that is open; false if it has ended already.
    fn keep(&self, owner: &Arc<Owner>) -> bool;
}

impl Owner {
    /// The first owner of a peer, which everybody who has `cell` finds from now on.
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

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.record().status.id
    }

    /// The group that it belongs to.
    #[must_use]
    pub fn group(&self) -> Option<&GroupId> {
        self.record().status.group.as_ref()
    }

    /// What the application knows of the peer: what was given to
    /// [`PeerOptions::data`](crate::PeerOptions::data), if it is a `T`.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.record().data.as_deref().and_then(|data| (data as &dyn Any).downcast_ref())
    }

    /// Closes the connection. The close has started when this returns; it never waits, and may be
    /// called in any thread and context.
    pub fn close(&self) -> Closing {
        run::close(self.record(), CloseReason::Requested)
    }

    /// [`close`](Self::close), with other bounds. A close that is under way keeps its own.
    pub fn close_with(&self, options: CloseOptions) -> Closing {
        let request = Request { options: Some(options), ..CloseReason::Requested.into() };
        run::close_as(self.record(), request)
    }

    /// Closes the connection at once, and tells the remote side nothing: its driver and its sockets
    /// are taken away. The outcome is closed by force, with the cause
    /// [`Aborted`](crate::peer::ForceCause::Aborted), or
    /// [`HandlerStalled`](crate::peer::ForceCause::HandlerStalled) where a callback has not let go of
    /// the driver after 100 ms. The peer's tasks are cancelled, the cooperative ones too, and those
    /// that have not ended after 100 ms are named as stuck. A close that is under way goes on by
    /// force.
    ///
    /// A connection of another stack that cannot be [aborted](super::Connection::abort) is closed
    /// as [`close`](Self::close) would.
    pub fn abort(&self) -> Closing {
        run::close_as(self.record(), Request { abort: true, ..CloseReason::Requested.into() })
    }

    /// The tasks that belong to the peer. They run on its runtime.
    ///
    /// Its close cancels them and waits for them within its bound, while the connection closes;
    /// those that would not stop are named in the [report](super::PeerReport::stuck) and told as
    /// [`EventKind::TasksStuck`](crate::EventKind::TasksStuck). Once a close was begun, or the connection
    /// has ended, new ones are refused. A task that holds a `Peer` of its own peer keeps that open:
    /// give it a [`WeakPeer`].
    #[must_use]
    pub fn tasks(&self) -> &TaskGroup {
        self.record().tasks()
    }

    /// The state of the connection now; `None` for a connection that does not tell.
    #[must_use]
    pub fn connection_state(&self) -> Option<ConnectionState> {
        self.record().state()
    }

    /// Completes once the connection is [`Connected`](ConnectionState::Connected).
    ///
    /// It needs no bound of its own: a peer that never connects is
    /// [closed](crate::peer::ReaperOptions::never_connected), by default after a minute.
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
    /// [`PeerEnded`] if the peer ends first: it failed to connect in time, or was closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connected(&self) -> Result<(), PeerEnded> {
        self.wait_for(ConnectionState::Connected).await
    }

    /// Completes once the connection is in `state`, at once if it is. A state that the connection
    /// leaves again at once may be missed. For
    /// [`Closed`](ConnectionState::Closed) the peer's end is the answer, and no error.
    ///
    /// A connection that does not tell its state completes this by its end alone.
    ///
    /// # Errors
    ///
    /// [`PeerEnded`] if the peer ends first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_for(&self, state: ConnectionState) -> Result<(), PeerEnded> {
        let ended = self.wait_until(|| ready(self.connection_state() == Some(state))).await;
        if state == ConnectionState::Closed { Ok(()) } else { ended }
    }

    /// Completes once `holds` does, which is asked again whenever a state of the connection has
    /// changed.
    pub(crate) async fn wait_until<F>(&self, holds: impl Fn() -> F) -> Result<(), PeerEnded>
    where
        F: Future<Output = bool>,
    {
        let status = &self.record().status;
        let mut ended = pin!(self.record().status.life.ended.wait());
        loop {
            // Before the question is asked, so that no change is lost.
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

    /// Completes when the connection has ended, whoever ended it, and says why.
    ///
    /// It completes also when the peer was closed and its end cannot be
    /// [confirmed](crate::Outcome::Unconfirmed).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.record().status.life.ended.wait().await.reason
    }

    /// Why the connection ended; `None` while it has not.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.record().end.get().map(|end| end.reason)
    }

    /// How the connection ended; `None` while it has not, or where that cannot be seen.
    #[must_use]
    pub fn close_mode(&self) -> Option<CloseMode> {
        self.record().end.get().and_then(|End { mode, .. }| mode.clone())
    }

    /// Hands the connection to its [`Peers`](crate::Peers), which keeps it open until it is closed,
    /// or ends, or the set itself is dropped. To be told when that is, watch [`WeakPeer::closed`] in
    /// a task of the set's ([`Peers::tasks`](crate::Peers::tasks); the peer's own tasks end with it),
    /// or [`EventKind::Closed`](crate::EventKind::Closed) in an [`Observer`](crate::Observer).
    /// [`WeakPeer`]s and [`Peers::get`](crate::Peers::get)
    /// still lead to it.
    ///
    /// If the `Peers` is gone already, there is nobody to hand it to, and ownership stays here.
    pub fn detach(self) {
        if let Some(keeper) = self.owner.keeper.upgrade() {
            keeper.keep(&self.owner);
        }
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn close_for(&self, reason: CloseReason) -> Closing {
        run::close(self.record(), reason)
    }

    /// Why it is being closed, or was.
    #[cfg(feature = "webrtc")]
    pub(crate) fn closing_for(&self) -> Option<CloseReason> {
        self.record().closing_for()
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn status(&self) -> &super::status::Status {
        &self.record().status
    }

    /// The connection, as what it is.
    #[cfg(feature = "webrtc")]
    pub(crate) fn connection<C: super::Connection>(&self) -> Option<&C> {
        let connection: &dyn Any = &*self.record().connection;
        connection.downcast_ref()
    }

    /// A reference that does not own the connection: for its own handler, and for maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer::new(Arc::clone(&self.record().status.life), Arc::clone(&self.owner.cell))
    }
}

/// How often a connection that does not tell of its changes is asked for its state.
const UNTOLD_STATE: Duration = Duration::from_millis(50);

/// A peer ended before what was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerEnded {
    /// Why it ended.
    pub reason: CloseReason,
    /// How it ended; `None` where that cannot be seen.
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
/// For handlers and maps: a handler that holds its own `Peer` keeps its connection open until it is
/// closed by somebody. It can be upgraded as long as anybody owns the peer: a `Peer`, or the
/// [`Peers`](crate::Peers) to which it was [detached](Peer::detach).
#[derive(Clone)]
pub struct WeakPeer {
    life: Arc<Life>,
    owner: OwnerCell,
}

/// Where the owner of a peer is to be found once the peer is registered: the handler of a
/// connection is made before that.
pub(super) type OwnerCell = Arc<OnceLock<Weak<Owner>>>;

impl WeakPeer {
    pub(super) fn new(life: Arc<Life>, owner: OwnerCell) -> Self {
        Self { life, owner }
    }

    /// The peer, while somebody owns it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        self.owner.get()?.upgrade().map(Peer::new)
    }

    /// The peer's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.life.id
    }

    /// Completes when the connection has ended, and says why; see [`Peer::closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.life.ended.wait().await.reason
    }

    /// Why the connection ended; `None` while it has not.
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
