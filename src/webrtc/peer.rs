//! Peers with a connection of the `webrtc` crate. The calls of such a peer are in `calls`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use ::webrtc::peer_connection::PeerConnection;

use super::call::Call;
use super::connection::{Instrumented, Opaque};
use super::link::Link;
use super::operation_error::OperationError;
use crate::id::PeerId;
use crate::peer::{CloseReason, Peers};

/// An owner of a connection of the `webrtc` crate.
///
/// This type dereferences to [`crate::Peer`], and adds the methods of `PeerConnection`. Most of
/// them return a [`Call`], which is reported to observers as an operation. Once the peer is closed,
/// these methods return [`OperationError::Closed`](super::OperationError::Closed).
///
/// ```no_run
/// use anypeer::webrtc::data_channel::DataChannelEvent;
/// use anypeer::webrtc::{self, OperationError};
///
/// async fn greet(peer: &webrtc::Peer) -> Result<(), OperationError> {
///     let channel = peer.create_data_channel("chat", None).await?;
///     // `tasks` and `close` are methods of `anypeer::Peer`.
///     peer.tasks().spawn("greet", async move {
///         while let Some(event) = channel.poll().await {
///             if let DataChannelEvent::OnOpen = event {
///                 let _sent = channel.send_text("hello").await;
///             }
///         }
///     });
///     Ok(())
/// }
/// ```
///
/// As with [`crate::Peer`], clones share the ownership, and dropping the last owner closes the
/// connection.
#[derive(Clone)]
pub struct Peer {
    pub(super) peer: crate::Peer,
    pub(super) link: Arc<Link>,
}

/// A weak reference to a peer, which does not keep the connection open.
///
/// [`open`](super::open) passes such a reference to the closure that creates the handler. Use it in
/// handlers, tasks and maps. A handler that held the [`Peer`] of its own connection would keep the
/// connection open until somebody closes it.
///
/// In every callback of the handler, a `WeakPeer` can be upgraded as long as the peer has an owner:
/// a [`Peer`], or the [`Peers`](crate::Peers) after [`Peer::detach`]. While `open` is still
/// building the connection, the calls of the upgraded peer return
/// [`OperationError::NotBuilt`](super::OperationError::NotBuilt).
#[derive(Clone, Debug)]
pub struct WeakPeer {
    peer: crate::WeakPeer,
}

impl WeakPeer {
    pub(super) fn new(peer: crate::WeakPeer) -> Self {
        Self { peer }
    }

    /// Returns a new owner of the peer, if the peer has an owner; `None` in the closure that
    /// creates the handler, and after the last owner was dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        Peer::try_from(self.peer.upgrade()?).ok()
    }

    /// The peer's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        self.peer.id()
    }

    /// Completes when the connection has ended, and returns the reason; see
    /// [`crate::Peer::closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.peer.closed().await
    }

    /// Why the connection ended; `None` while the connection has not ended. See
    /// [`crate::Peer::close_reason`].
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.peer.close_reason()
    }
}

/// Returns the peer with this id, if the peer has an owner and its connection is of the `webrtc`
/// crate; see [`Peers::get`].
///
/// A signalling server can use this to find the peer of a candidate, without a map of its own:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::webrtc::peer_connection::RTCIceCandidateInit;
/// use anypeer::webrtc::{self, OperationError};
///
/// /// Returns the status of the answer to `POST /peers/{id}/candidates`.
/// async fn trickle(peers: &Peers, id: &str, candidate: RTCIceCandidateInit) -> u16 {
///     let Some(peer) = webrtc::get(peers, id) else { return 404 };
///     match peer.add_ice_candidate(candidate).await {
///         Ok(()) => 204,
///         Err(OperationError::Closed) => 404,
///         Err(_) => 400,
///     }
/// }
/// ```
#[must_use]
pub fn get(peers: &Peers, id: impl AsRef<str>) -> Option<Peer> {
    Peer::try_from(peers.get(id)?).ok()
}

/// The error for a peer whose connection is not of the `webrtc` crate. It contains the peer.
#[derive(Clone, Debug)]
pub struct NotWebrtc(pub crate::Peer);

impl fmt::Display for NotWebrtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {} has a connection of another stack", self.0.id())
    }
}

impl std::error::Error for NotWebrtc {}

impl TryFrom<crate::Peer> for Peer {
    type Error = NotWebrtc;

    fn try_from(peer: crate::Peer) -> Result<Self, NotWebrtc> {
        let instrumented = peer.connection::<Instrumented>().map(|it| &it.link);
        let link =
            instrumented.or_else(|| Some(&peer.connection::<Opaque>()?.link)).map(Arc::clone);
        match link {
            Some(link) => Ok(Self { peer, link }),
            None => Err(NotWebrtc(peer)),
        }
    }
}

impl Deref for Peer {
    type Target = crate::Peer;

    fn deref(&self) -> &crate::Peer {
        &self.peer
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer.fmt(f)
    }
}

impl Peer {
    pub(super) fn new(peer: crate::Peer, link: Arc<Link>) -> Self {
        Self { peer, link }
    }

    /// The connection itself, for methods that [`Peer`] does not have; `None` while the connection
    /// is being built, and once the peer is closed.
    ///
    /// Holding the `Arc` keeps the memory of the connection, but does not keep the connection open:
    /// it is closed with the peer. Do not call `close` on the connection; close the peer instead.
    #[must_use]
    pub fn connection(&self) -> Option<Arc<dyn PeerConnection>> {
        self.link.get()
    }

    /// Makes the [`Peers`](crate::Peers) an owner of the peer, and drops this `Peer`; see
    /// [`crate::Peer::detach`].
    pub fn detach(self) {
        self.peer.detach();
    }

    /// Returns a reference that does not own the connection. Use it in the peer's own handler, in
    /// tasks and in maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer::new(self.peer.downgrade())
    }

    /// A call on the connection, which is reported to observers as an operation with this name.
    pub(super) fn call<'a, T: 'a, F>(
        &'a self,
        name: &'static str,
        call: impl FnOnce(Arc<dyn PeerConnection>) -> F + Send + 'a,
    ) -> Call<'a, T>
    where
        F: Future<Output = Result<T, OperationError>> + Send,
    {
        Call::new(self.peer.status(), &self.link, name, call)
    }
}
