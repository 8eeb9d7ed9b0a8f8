//! Who a connection belongs to.

use std::fmt;
use std::sync::{Arc, Weak};

use super::close::Closing;
use super::options::CloseOptions;
use super::outcome::{CloseReason, Closure};
use super::record::{End, Record};
use crate::id::{GroupId, PeerId};
use crate::state::ConnectionState;
use crate::sync::atomic::{AtomicBool, Ordering};
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

/// The token that all clones of a [`Peer`] share.
struct Owner {
    record: Arc<Record>,
    detached: AtomicBool,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.detached.load(Ordering::Acquire) && !self.record.is_closed() {
            drop(self.record.close(CloseReason::Dropped));
        }
    }
}

impl Peer {
    pub(super) fn new(record: Arc<Record>) -> Self {
        Self { owner: Arc::new(Owner { record, detached: AtomicBool::new(false) }) }
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

    /// Closes the connection. The close has started when this returns; it never waits, and may be
    /// called in any thread and context.
    pub fn close(&self) -> Closing {
        self.record().close(CloseReason::Requested)
    }

    /// [`close`](Self::close), with other bounds. A close that is under way keeps its own.
    pub fn close_with(&self, options: CloseOptions) -> Closing {
        self.record().close_with(CloseReason::Requested, options, None)
    }

    /// The tasks that belong to the peer. They run on its runtime.
    ///
    /// Its close cancels them and waits for them within its bound, while the connection closes;
    /// those that would not stop are named in the [report](super::PeerReport::stuck) and told as
    /// [`Event::TasksStuck`](crate::Event::TasksStuck). Once a close was begun, or the connection
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

    /// Completes when the connection has ended, whoever ended it, and says why.
    ///
    /// Also when it was closed and its end cannot be [confirmed](super::Outcome::Unconfirmed).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.record().told.wait().await.reason
    }

    /// Why the connection ended; `None` while it has not.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.record().end.get().map(|end| end.reason)
    }

    /// How the connection ended; `None` while it has not, or where that cannot be seen.
    #[must_use]
    pub fn closure(&self) -> Option<Closure> {
        self.record().end.get().and_then(|End { closure, .. }| closure.clone())
    }

    /// Hands the connection to its [`Peers`](crate::Peers), which closes it when it is closed or
    /// dropped itself. Other clones of this `Peer` no longer close it either.
    ///
    /// If the `Peers` is gone already, there is nobody to hand it to, and ownership stays here.
    pub fn detach(self) {
        if let Some(registry) = self.record().registry.upgrade()
            && registry.keep(self.record())
        {
            self.owner.detached.store(true, Ordering::Release);
        }
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn close_for(&self, reason: CloseReason) -> Closing {
        self.record().close(reason)
    }

    /// Why it is being closed, or was.
    #[cfg(feature = "webrtc")]
    pub(crate) fn closing_for(&self) -> Option<CloseReason> {
        self.record().closing_for()
    }

    #[cfg(feature = "webrtc")]
    pub(crate) fn status(&self) -> &super::record::Status {
        &self.record().status
    }

    /// A reference that does not own: for the connection's own handler, and for maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer { owner: Arc::downgrade(&self.owner) }
    }
}

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
/// For handlers: a handler that holds its own `Peer` keeps its connection open until it is
/// closed by somebody.
#[derive(Clone)]
pub struct WeakPeer {
    owner: Weak<Owner>,
}

impl WeakPeer {
    /// The peer, while somebody owns it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        self.owner.upgrade().map(|owner| Peer { owner })
    }
}

impl fmt::Debug for WeakPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakPeer").field(&self.upgrade()).finish()
    }
}
