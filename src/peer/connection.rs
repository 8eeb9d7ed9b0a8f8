//! What a kind of connection implements.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::status::Status;
use crate::event::EventKind;
use crate::outcome::{CloseMode, ForceCause};
use crate::probe::Retention;
use crate::runtime::BoxFuture;
use crate::state::ConnectionState;
use crate::stats::StatsReport;

/// The error of a connection's own close. What it was is its [source](std::error::Error::source).
#[derive(Debug)]
pub struct ConnectionError(Box<dyn std::error::Error + Send + Sync>);

impl ConnectionError {
    /// An error of the connection's own stack, or a text.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection's close failed")
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// A connection that [`Peers`](crate::Peers) can own, close and watch.
///
/// Implement it for connections that are not the `webrtc` crate's. Nothing here is trusted: a
/// close may hang, block its thread, panic or fail, and only its own peer is the worse for it.
/// `close`, `abort`, `release` and `remote_closed` are called on a thread of this crate's own, in the context of
/// the peer's runtime ([`Spawner::within`](crate::runtime::Spawner::within)), unless the
/// connection [is cooperative](Self::is_cooperative).
///
/// A close, a state, and the notice of its changes are what most connections need:
///
/// ```
/// use std::sync::{Arc, Mutex, OnceLock};
/// use anypeer::peer::{CloseMode, Connection, ConnectionError, StateNotice};
/// use anypeer::runtime::BoxFuture;
/// use anypeer::{ConnectionState, PeerOptions, Peers};
///
/// struct Stack {
///     state: Mutex<ConnectionState>,
///     changed: OnceLock<StateNotice>,
/// }
///
/// impl Stack {
///     /// Called by the driver.
///     fn set_state(&self, state: ConnectionState) {
///         *self.state.lock().unwrap() = state;
///         if let Some(changed) = self.changed.get() {
///             changed.changed();
///         }
///     }
/// }
///
/// impl Connection for Stack {
///     fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
///         Box::pin(async move {
///             // Here the driver is told to end, and waited for.
///             self.set_state(ConnectionState::Closed);
///             Ok(Some(CloseMode::Graceful))
///         })
///     }
///
///     fn state(&self) -> Option<ConnectionState> {
///         Some(*self.state.lock().unwrap())
///     }
///
///     fn watch_state(&self, notice: StateNotice) {
///         let _first = self.changed.set(notice);
///     }
/// }
///
/// let state = Mutex::new(ConnectionState::New);
/// let stack = Arc::new(Stack { state, changed: OnceLock::new() });
/// let peers = Peers::new();
/// let peer = peers.insert(Arc::clone(&stack) as _, PeerOptions::new())?;
/// stack.set_state(ConnectionState::Connected);
/// assert_eq!(peer.connection_state(), Some(ConnectionState::Connected));
/// # Ok::<(), anypeer::peer::InsertError>(())
/// ```
pub trait Connection: Any + Send + Sync {
    /// Closes in order: tells the remote side, frees everything.
    ///
    /// The answer is what could be **seen**: `Ok(Some(mode))` only when the driver has ended
    /// and its sockets are gone, `Ok(None)` where that cannot be known.
    ///
    /// # Cancel safety
    ///
    /// [`abort`](Self::abort) follows when the grace period is over; the future is dropped when that
    /// succeeded, or at the end of the whole bound.
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>>;

    /// Whether [`close`](Self::close) never blocks its thread. It and the
    /// [`release`](Self::release) after it then run as a task on the peer's own runtime, which is
    /// cheaper; should the runtime not run it, the close is forced as ever. Called from any thread.
    fn is_cooperative(&self) -> bool {
        false
    }

    /// Ends the connection at once, without telling the remote side. The future of
    /// [`close`](Self::close) may still be polled meanwhile; it is dropped after this succeeded.
    ///
    /// The answer is how the connection ended, if it is **seen** to be gone: by force, unless it had
    /// ended in order just before. It is `None` where that cannot be known: the default, for a
    /// connection that has no such way.
    fn abort(self: Arc<Self>) -> BoxFuture<Option<CloseMode>> {
        Box::pin(std::future::ready(None))
    }

    /// Called once when the connection has ended, in whatever way: tell the application, and let
    /// go of what is its own.
    fn release(self: Arc<Self>) -> BoxFuture {
        Box::pin(std::future::ready(()))
    }

    /// Takes the notice to call should the connection end by itself. Called once, when it is
    /// registered, on the registering thread.
    fn watch_end(&self, notice: EndNotice) {
        drop(notice);
    }

    /// Takes the notice to give whenever the state of the connection has changed, so that whoever
    /// [waits for a state](crate::Peer::wait_for) is woken at once. A connection that drops it is
    /// asked for its state from time to time instead. Called once, when it is registered, on the
    /// registering thread.
    fn watch_state(&self, notice: StateNotice) {
        drop(notice);
    }

    /// The connection's state now, if it is known. Called from any thread.
    fn state(&self) -> Option<ConnectionState> {
        None
    }

    /// Since when it is in that state, by the clock of the peer's runtime, if it is known. Called from
    /// any thread.
    fn state_since(&self) -> Option<Instant> {
        None
    }

    /// Whether the remote side has said goodbye, though the connection has not ended. Asked every
    /// 0.75 s, unless [`ReaperOptions::goodbye`](super::ReaperOptions::goodbye) is off.
    fn remote_closed(self: Arc<Self>) -> BoxFuture<bool> {
        Box::pin(std::future::ready(false))
    }

    /// Whether the calling thread is inside one of the connection's own callbacks, where waiting
    /// for its end could not succeed. Called from any thread.
    fn in_own_handler(&self) -> bool {
        false
    }

    /// The local addresses of the sockets that it has open. Called from any thread.
    fn sockets(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    /// What the connection knows of itself now; by default nothing. Asked on a thread of this
    /// crate's own.
    fn stats(self: Arc<Self>) -> BoxFuture<Option<StatsReport>> {
        Box::pin(std::future::ready(None))
    }

    /// Takes the notice to keep with the connection's memory: whatever the application may hold of
    /// the connection, it is dropped with the last of it. The answer is whether it was taken; by
    /// default it is not, and nobody is told when the memory is free. Called once, when the
    /// connection is registered, on the registering thread.
    fn watch_release(&self, notice: ReleaseNotice) -> bool {
        notice.defuse();
        false
    }

    /// What to ask, after the end, for what the application still holds. Called from any thread.
    fn retention(&self) -> Option<Arc<dyn Retention>> {
        None
    }
}

/// Who hears of a connection: its peer, while there is one.
pub(super) trait Listener: Send + Sync {
    fn ended(self: Arc<Self>, cause: ForceCause);

    fn state_changed(self: Arc<Self>);
}

/// Tells the peer that its connection has ended by itself.
///
/// Dropping it tells nothing.
pub struct EndNotice(pub(super) Weak<dyn Listener>);

impl EndNotice {
    /// Says that the driver has ended and the sockets are gone. May be called from any thread;
    /// does not block.
    pub fn ended(self, cause: ForceCause) {
        if let Some(peer) = self.0.upgrade() {
            peer.ended(cause);
        }
    }
}

impl fmt::Debug for EndNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndNotice").finish_non_exhaustive()
    }
}

/// Tells the peer that a state of its connection has changed.
///
/// Dropping it tells nothing.
pub struct StateNotice {
    pub(super) peer: Weak<dyn Listener>,
    /// Whether somebody keeps the notice is told by this reference.
    pub(super) kept: Option<Arc<()>>,
}

impl Drop for StateNotice {
    /// From now on the state is asked for, also by whoever is waiting.
    fn drop(&mut self) {
        self.kept = None;
        self.changed();
    }
}

impl StateNotice {
    /// Says that [`Connection::state`] answers something else than before. May be called from any
    /// thread; does not block.
    pub fn changed(&self) {
        if let Some(peer) = self.peer.upgrade() {
            peer.state_changed();
        }
    }
}

impl fmt::Debug for StateNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateNotice").finish_non_exhaustive()
    }
}

/// Tells, when it is dropped, that all memory of a connection is free.
pub struct ReleaseNotice(pub(super) Option<Arc<Status>>);

impl ReleaseNotice {
    /// Drops it, and nobody is told.
    pub fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for ReleaseNotice {
    fn drop(&mut self) {
        if let Some(status) = self.0.take() {
            status.tell(|| EventKind::Released);
        }
    }
}

impl fmt::Debug for ReleaseNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseNotice").finish_non_exhaustive()
    }
}
