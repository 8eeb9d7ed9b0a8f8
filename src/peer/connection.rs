//! The trait that connections implement.

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

/// The error of a connection's own close. Its [source](std::error::Error::source) is the cause.
#[derive(Debug)]
pub struct ConnectionError(Box<dyn std::error::Error + Send + Sync>);

impl ConnectionError {
    /// Wraps an error of the connection's own stack, or a text.
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
/// Implement this trait for connections that are not of the `webrtc` crate. An implementation may
/// misbehave: a close that hangs, blocks its thread, panics or fails affects only its own peer.
///
/// Pass a connection to [`Peers::insert`](crate::Peers::insert), or reserve a place for the
/// connection before it is built, with [`Peers::reserve`](crate::Peers::reserve).
///
/// `close`, `abort`, `release` and `remote_closed` run on a thread of this crate, which they may
/// block, in the context of the peer's runtime
/// ([`Spawner::within`](crate::runtime::Spawner::within)). The graceful close of a
/// [cooperative](Self::is_cooperative) connection, and the `release` after it, run as a task on the
/// peer's runtime instead.
///
/// Only `close` is required. Most connections also implement `state` and `watch_state`:
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
///             // Here, tell the driver to end, and wait until it has ended.
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
    /// Closes the connection gracefully: notifies the remote side, and frees all resources.
    ///
    /// Return only what was **observed**: `Ok(Some(mode))` if the driver has ended and its sockets
    /// are closed, or `Ok(None)` if that cannot be known.
    ///
    /// # Cancel safety
    ///
    /// [`abort`](Self::abort) is called if the future is not ready by the end of the grace period.
    /// The future is dropped after the abort has succeeded, or at the end of the timeout of the
    /// close.
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>>;

    /// Whether [`close`](Self::close) never blocks its thread. `close`, and the
    /// [`release`](Self::release) after it, then run as a task on the peer's own runtime, which is
    /// cheaper. If the runtime does not run that task, the close is forced as usual. False by
    /// default. Called from any thread.
    fn is_cooperative(&self) -> bool {
        false
    }

    /// Ends the connection at once, without notifying the remote side. The future of
    /// [`close`](Self::close) may be polled at the same time; it is dropped after the abort has
    /// succeeded.
    ///
    /// If the end of the connection was **observed**, return how the connection ended: by force,
    /// unless it had ended gracefully just before. Return `None` if the connection cannot be
    /// aborted or its end cannot be known. The default returns `None`.
    fn abort(self: Arc<Self>) -> BoxFuture<Option<CloseMode>> {
        Box::pin(std::future::ready(None))
    }

    /// Notifies the application that the connection has ended, if the stack does that (by a
    /// callback, for instance), and drops what belongs to the application, such as its handler.
    /// Called once, when the end was observed or [`close`](Self::close) has returned `Ok`. The
    /// default does nothing.
    fn release(self: Arc<Self>) -> BoxFuture {
        Box::pin(std::future::ready(()))
    }

    /// Takes the notice to call if the connection ends by itself. By default the notice is dropped,
    /// and an end is only observed by a close. Called once, when the connection is registered, on
    /// the registering thread.
    fn watch_end(&self, notice: EndNotice) {
        drop(notice);
    }

    /// Takes the notice to call whenever the state of the connection has changed, so that a task
    /// that [waits for a state](crate::Peer::wait_for) is woken at once. If the notice is dropped,
    /// as it is by default, the connection is asked for its state periodically: every 50 ms while a
    /// task waits for a state, and every 0.75 s by the reaper. Called once, when the connection is
    /// registered, on the registering thread.
    fn watch_state(&self, notice: StateNotice) {
        drop(notice);
    }

    /// The connection's current state; `None`, the default, for a connection that does not report
    /// its state. Called from any thread.
    ///
    /// If this returns `None` when the connection is registered, observers see
    /// [`Probe::tells_state`](super::Probe::tells_state) as false from then on.
    fn state(&self) -> Option<ConnectionState> {
        None
    }

    /// The instant at which the connection came into its [`state`](Self::state), by the clock of
    /// the peer's runtime. If it is `None`, the default, the limits of the reaper count from the
    /// instant at which the reaper first saw the state. Called from any thread.
    fn state_since(&self) -> Option<Instant> {
        None
    }

    /// Whether the remote side has closed the connection, although the connection has not ended.
    /// Called every 0.75 s, unless [`ReaperOptions::goodbye`](super::ReaperOptions::goodbye) is
    /// off. The future is dropped after 2 s. False by default.
    fn remote_closed(self: Arc<Self>) -> BoxFuture<bool> {
        Box::pin(std::future::ready(false))
    }

    /// Whether the calling thread is inside one of the connection's own callbacks, where a wait for
    /// the end of the connection would never succeed. Awaiting a close there returns
    /// [`Outcome::InOwnHandler`](crate::Outcome::InOwnHandler). False by default. Called from any
    /// thread.
    fn in_own_handler(&self) -> bool {
        false
    }

    /// The local addresses of the connection's open sockets, for the leak guard of tests. Empty by
    /// default. Called from any thread.
    fn sockets(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    /// The connection's current statistics; `None` by default. Called and polled wherever
    /// [`Probe::stats`](super::Probe::stats) is: by a monitor, on a thread of this crate.
    fn stats(self: Arc<Self>) -> BoxFuture<Option<StatsReport>> {
        Box::pin(std::future::ready(None))
    }

    /// Takes the notice to keep with the connection's memory, so that the notice is dropped with
    /// the last part of the connection that the application holds. Returns whether the notice was
    /// kept. By default it is not, and observers are not notified when the memory is free. Called
    /// once, when the connection is registered, on the registering thread.
    fn watch_release(&self, notice: ReleaseNotice) -> bool {
        notice.defuse();
        false
    }

    /// Returns an object that knows, after the end of the connection, what the application still
    /// holds of it; `None`, the default, if that is not known. Called from any thread.
    fn retention(&self) -> Option<Arc<dyn Retention>> {
        None
    }
}

/// The receiver of a connection's notices, which is the connection's peer.
pub(super) trait Listener: Send + Sync {
    /// The connection has ended by itself.
    fn ended(self: Arc<Self>, cause: ForceCause);

    /// A state of the connection has changed.
    fn state_changed(self: Arc<Self>);
}

/// Tells the peer that its connection has ended by itself.
///
/// A connection gets it from [`Connection::watch_end`]. Dropping the notice has no effect.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use anypeer::peer::{CloseMode, CloseReason, Connection, ConnectionError, EndNotice, ForceCause};
/// use anypeer::runtime::BoxFuture;
/// use anypeer::{PeerOptions, Peers};
///
/// #[derive(Default)]
/// struct Stack {
///     end: Mutex<Option<EndNotice>>,
/// }
///
/// impl Stack {
///     /// Called by the driver, after it has closed its sockets.
///     fn driver_ended(&self) {
///         let notice = self.end.lock().unwrap().take();
///         if let Some(notice) = notice {
///             notice.ended(ForceCause::DriverEnded);
///         }
///     }
/// }
///
/// impl Connection for Stack {
///     fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
///         Box::pin(async { Ok(Some(CloseMode::Graceful)) })
///     }
///
///     fn watch_end(&self, notice: EndNotice) {
///         *self.end.lock().unwrap() = Some(notice);
///     }
/// }
///
/// let (peers, stack) = (Peers::new(), Arc::new(Stack::default()));
/// let peer = peers.insert(Arc::clone(&stack) as _, PeerOptions::new())?;
/// stack.driver_ended();
/// assert_eq!(futures::executor::block_on(peer.closed()), CloseReason::Ended);
/// # Ok::<(), anypeer::peer::InsertError>(())
/// ```
pub struct EndNotice(pub(super) Weak<dyn Listener>);

impl EndNotice {
    /// Tells the peer that the driver has ended and that the sockets are closed. During a close,
    /// this changes the outcome only if the close itself does not observe the end. May be called
    /// from any thread, and does not block.
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

/// Tells the peer that the state of its connection has changed.
///
/// After the notice is dropped, the connection is asked for its state periodically.
pub struct StateNotice {
    pub(super) peer: Weak<dyn Listener>,
    /// The peer holds a weak reference to this, to see whether the notice still exists.
    pub(super) kept: Option<Arc<()>>,
}

impl Drop for StateNotice {
    /// Wakes tasks that wait for a state, since they have to ask for it from now on.
    fn drop(&mut self) {
        self.kept = None;
        self.changed();
    }
}

impl StateNotice {
    /// Tells the peer that [`Connection::state`] has changed. May be called from any thread, and
    /// does not block.
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

/// Tells observers, when it is dropped, that all memory of a connection is free
/// ([`EventKind::Released`](crate::EventKind::Released)). See [`Connection::watch_release`].
pub struct ReleaseNotice(pub(super) Option<Arc<Status>>);

impl ReleaseNotice {
    /// Drops the notice without notifying the observers.
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
