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
/// starts the close and returns in less than a millisecond, without waiting for the close. It may
/// happen on any thread, in synchronous code, asynchronous code and destructors, and never panics.
/// To keep the connection open without a `Peer`, [`detach`](Self::detach) the peer: the set then
/// owns it.
///
/// `webrtc::open` returns a `webrtc::Peer`, which dereferences to this type.
///
/// ```
/// use anypeer::Peer;
///
/// /// Runs a session until `work` is done or the peer is closed.
/// async fn session(peer: Peer, work: impl Future<Output = ()> + Send + 'static) {
///     if let Err(ended) = peer.connected().await {
///         println!("{} did not connect: {ended}", peer.id());
///         return;
///     }
///     // The task belongs to the peer: the close of the peer ends it.
///     let task = peer.tasks().spawn("work", work);
///     match task.await {
///         Ok(()) => println!("{}: {}", peer.id(), peer.close().await), // "..: closed, graceful"
///         // For instance "..: the task was cancelled", because the peer was closed.
///         Err(error) => println!("{}: {error}", peer.id()),
///     }
///     // Without the explicit close, the drop of `peer` would close the connection here.
/// }
/// ```
#[derive(Clone)]
pub struct Peer {
    owner: Arc<Owner>,
}

/// The token that all clones of a [`Peer`] share, and that the set holds once the peer is detached.
/// Its drop closes the connection.
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
    /// Creates the owner of a peer, and stores it in `cell`, where references to the peer find it.
    pub(super) fn new(record: Arc<Record>, keeper: Weak<dyn Keeper>, cell: OwnerCell) -> Arc<Self> {
        let owner = Arc::new(Self { record, keeper, cell });
        // The cell is still empty, since a reservation is inserted only once.
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

    /// The data that the application stored in the peer with
    /// [`PeerOptions::data`](crate::PeerOptions::data), if the data is of the type `T`.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.record().data.as_deref().and_then(|data| (data as &dyn Any).downcast_ref())
    }

    /// Closes the connection, gracefully if possible. The close has started when this returns. This
    /// function never waits, and may be called on any thread, in synchronous code, asynchronous
    /// code and destructors.
    ///
    /// [`Closing`] shows how to await the close, how to wait for it in synchronous code, and how to
    /// ignore its outcome. If a close is already in progress, the returned handle is for that
    /// close.
    pub fn close(&self) -> Closing {
        run::close(self.record(), CloseReason::Requested)
    }

    /// Closes the connection like [`close`](Self::close), with the timeout and the grace period in
    /// `options`. A close that is already in progress keeps its own timeout and grace period.
    pub fn close_with(&self, options: CloseOptions) -> Closing {
        let request = Request { options: Some(options), ..CloseReason::Requested.into() };
        run::close_as(self.record(), request)
    }

    /// Closes the connection at once, by dropping its driver and its sockets. The remote side is
    /// not notified. If a graceful close is in progress, this forces that close.
    ///
    /// The outcome is usually [`Outcome::Closed`](crate::Outcome::Closed) with the mode
    /// [`Forced`](crate::peer::CloseMode::Forced) and one of these causes:
    ///
    /// - [`HandlerStalled`](crate::peer::ForceCause::HandlerStalled) if a callback of the handler
    ///   held up the graceful close in progress, or does not release the driver within 100 ms;
    /// - otherwise [`Aborted`](crate::peer::ForceCause::Aborted).
    ///
    /// The peer's tasks, including [cooperative](crate::task::TaskBuilder::cooperative) ones, are
    /// dropped at their next suspension point; tasks that are only [counted](TaskGroup::track) are
    /// not. Tasks that have not ended after 100 ms are reported as
    /// [`EventKind::TasksStuck`](crate::EventKind::TasksStuck).
    ///
    /// An adopted connection (one that was passed to `webrtc::adopt`), or a connection of another
    /// stack that does not implement [`Connection::abort`](super::Connection::abort), cannot be
    /// forced, and is closed as by [`close`](Self::close).
    pub fn abort(&self) -> Closing {
        run::close_as(self.record(), Request { abort: true, ..CloseReason::Requested.into() })
    }

    /// The tasks that belong to the peer. They run on the peer's runtime.
    ///
    /// A close of the peer cancels its tasks, and waits for them within the timeout of the close.
    /// Tasks that do not stop are reported as
    /// [`EventKind::TasksStuck`](crate::EventKind::TasksStuck). The report of a close of a group or
    /// of all peers names these tasks too ([`PeerReport::stuck`](super::PeerReport::stuck)); the
    /// [`Outcome`](crate::Outcome) of one close does not.
    ///
    /// Once a close has begun or the connection has ended, new tasks are refused. A task that holds
    /// a `Peer` of its own peer keeps the connection open: give the task a [`WeakPeer`], and hold
    /// the upgraded `Peer` only while the task uses the peer.
    ///
    /// ```
    /// use anypeer::Peer;
    ///
    /// /// Closes a peer when `logged_out` completes.
    /// fn close_at_logout(peer: &Peer, logged_out: impl Future<Output = ()> + Send + 'static) {
    ///     let weak = peer.downgrade();
    ///     // The handle of the task is dropped here. The task goes on, and ends with the peer.
    ///     peer.tasks().spawn("close at logout", async move {
    ///         logged_out.await;
    ///         if let Some(peer) = weak.upgrade() {
    ///             drop(peer.close()); // The close goes on, and ends this task.
    ///         }
    ///     });
    /// }
    /// ```
    #[must_use]
    pub fn tasks(&self) -> &TaskGroup {
        self.record().tasks()
    }

    /// The current state of the connection; `None` for a connection that does not report its state,
    /// such as an adopted connection.
    #[must_use]
    pub fn connection_state(&self) -> Option<ConnectionState> {
        self.record().state()
    }

    /// Completes once the connection is [`Connected`](ConnectionState::Connected).
    ///
    /// By default no timeout is needed, because the
    /// [reaper](crate::peer::ReaperOptions::never_connected) closes a peer that has not connected
    /// within a minute of its opening. Set a timeout of your own if that rule is off, if the
    /// connection was adopted or does not report its state, or if the connection was connected
    /// before: the rule applies only to the first time.
    ///
    /// A callback of the peer's handler must not await this, since the connection cannot connect
    /// until the callback has returned.
    ///
    /// ```
    /// use anypeer::Peer;
    ///
    /// async fn greet(peer: &Peer) {
    ///     match peer.connected().await {
    ///         Ok(()) => println!("{} is connected", peer.id()),
    ///         // "the peer has ended: never_connected"
    ///         Err(ended) => println!("{} did not connect: {ended}", peer.id()),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PeerEnded`] if the peer ends first, because it did not connect in time, failed, or
    /// was closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connected(&self) -> Result<(), PeerEnded> {
        self.wait_for(ConnectionState::Connected).await
    }

    /// Completes once the connection is in `state`, immediately if the connection already is. A
    /// state that the connection soon leaves again may be missed. For
    /// [`Closed`](ConnectionState::Closed), the end of the peer is a success, not an error. As with
    /// [`connected`](Self::connected), a callback of the peer's handler must not await this.
    ///
    /// For a connection that does not report its state, this completes only when the connection
    /// ends.
    ///
    /// # Errors
    ///
    /// Returns [`PeerEnded`] if the peer ends before it is in `state`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_for(&self, state: ConnectionState) -> Result<(), PeerEnded> {
        let ended = self.wait_until(|| ready(self.connection_state() == Some(state))).await;
        if state == ConnectionState::Closed { Ok(()) } else { ended }
    }

    /// Completes once `holds` returns true. `holds` is evaluated again whenever a state of the
    /// connection has changed, or every [`UNTOLD_STATE`] if the connection does not notify of that.
    pub(crate) async fn wait_until<F>(&self, holds: impl Fn() -> F) -> Result<(), PeerEnded>
    where
        F: Future<Output = bool>,
    {
        let status = &self.record().status;
        let mut ended = pin!(self.record().status.life.ended.wait());
        loop {
            // The listener is created before the condition is evaluated, so that no change is
            // missed.
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

    /// Completes when the connection has ended, whatever ended it, and returns the reason.
    ///
    /// This also completes after a close with the outcome
    /// [`Unconfirmed`](crate::Outcome::Unconfirmed), where the end of the connection cannot be
    /// observed. A callback of the peer's handler must not await this: the callback would hold up
    /// the end of the connection.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.record().status.life.ended.wait().await.reason
    }

    /// Why the connection ended; `None` while the connection has not ended. After a close with the
    /// outcome [`Unconfirmed`](crate::Outcome::Unconfirmed), this is the reason of that close.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.record().end.get().map(|end| end.reason)
    }

    /// How the connection ended; `None` while the connection has not ended, or if its end cannot be
    /// observed.
    #[must_use]
    pub fn close_mode(&self) -> Option<CloseMode> {
        self.record().end.get().and_then(|End { mode, .. }| mode.clone())
    }

    /// Makes the peer's set (its [`Peers`](crate::Peers)) an owner of the peer, and drops this
    /// `Peer`. The connection then stays open until somebody closes the peer, the connection ends
    /// by itself, or the set is dropped. [`WeakPeer::upgrade`] and
    /// [`Peers::get`](crate::Peers::get) return the peer until then.
    ///
    /// To be notified of the end of the peer, handle
    /// [`EventKind::Closed`](crate::EventKind::Closed) in an [`Observer`](crate::Observer), or
    /// await [`WeakPeer::closed`] in a task of the set. (The peer's own tasks end with the peer.)
    ///
    /// ```
    /// use anypeer::runtime::StartError;
    /// use anypeer::{Peer, Peers};
    ///
    /// fn hand_over(peers: &Peers, peer: Peer) -> Result<(), StartError> {
    ///     let weak = peer.downgrade();
    ///     peers.tasks()?.spawn("log the end", async move {
    ///         let reason = weak.closed().await;
    ///         println!("{} has ended: {reason}", weak.id());
    ///     });
    ///     peer.detach();
    ///     Ok(())
    /// }
    /// ```
    ///
    /// If the `Peers` was already dropped or the peer has already ended, this only drops the
    /// `Peer`.
    pub fn detach(self) {
        if let Some(keeper) = self.owner.keeper.upgrade() {
            keeper.keep(&self.owner);
        }
    }

    /// Closes the connection for a reason other than a request of the application.
    #[cfg(feature = "webrtc")]
    pub(crate) fn close_for(&self, reason: CloseReason) -> Closing {
        run::close(self.record(), reason)
    }

    /// Why the peer is being closed or was closed; `None` while it is open.
    #[cfg(feature = "webrtc")]
    pub(crate) fn closing_for(&self) -> Option<CloseReason> {
        self.record().closing_for()
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn status(&self) -> &super::status::Status {
        &self.record().status
    }

    /// The connection, if its type is `C`.
    #[cfg(feature = "webrtc")]
    pub(crate) fn connection<C: super::Connection>(&self) -> Option<&C> {
        let connection: &dyn Any = &*self.record().connection;
        connection.downcast_ref()
    }

    /// Returns a reference that does not own the connection. Use it in the peer's own handler, in
    /// tasks and in maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer::new(Arc::clone(&self.record().status.life), Arc::clone(&self.owner.cell))
    }
}

/// How often a task that waits for a state asks a connection that does not notify of changes.
const UNTOLD_STATE: Duration = Duration::from_millis(50);

/// The error of a wait for a state: the peer ended before its connection was in that state.
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

/// A weak reference to a peer, which does not keep the connection open.
///
/// Use it in handlers, tasks and maps. A handler that held the [`Peer`] of its own connection would
/// keep the connection open until somebody closes it. A `WeakPeer` can be upgraded as long as the
/// peer has an owner: a [`Peer`], or the [`Peers`](crate::Peers) after [`Peer::detach`].
///
/// ```
/// use anypeer::WeakPeer;
///
/// fn print(peer: &WeakPeer) {
///     match (peer.upgrade(), peer.close_reason()) {
///         (_, Some(reason)) => println!("{} has ended: {reason}", peer.id()),
///         (Some(peer), None) => println!("{} is {:?}", peer.id(), peer.connection_state()),
///         // The last owner was dropped, and the close has not ended.
///         (None, None) => println!("{} is being closed", peer.id()),
///     }
/// }
/// ```
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

    /// Returns a new owner of the peer, if the peer has an owner; `None` before the connection is
    /// added to the set, and after the last owner was dropped.
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

    /// Why the connection ended; `None` while the connection has not ended. See
    /// [`Peer::close_reason`].
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
