//! A peer of the `webrtc` crate, with its calls.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use ::webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use ::webrtc::media_stream::track_local::TrackLocal;
use ::webrtc::peer_connection::transport::SctpTransport;
use ::webrtc::peer_connection::{
    PeerConnection, RTCConfiguration, RTCIceCandidateInit, RTCSdpType, RTCSessionDescription,
    RTCStatsReport, StatsSelector,
};
use ::webrtc::rtp_transceiver::{RtpReceiver, RtpSender, RtpTransceiver};
use rtc::peer_connection::configuration::{RTCAnswerOptions, RTCOfferOptions};
use rtc::rtp_transceiver::RTCRtpTransceiverInit;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use super::call::Call;
use super::connection::{Instrumented, Opaque};
use super::convert;
use super::link::Link;
use super::operation_error::OperationError;
use crate::candidate::{Candidate, Side};
use crate::event::EventKind;
use crate::id::PeerId;
use crate::peer::{CloseReason, PeerEnded, Peers};

/// An owner of a connection of the `webrtc` crate.
///
/// Everything that [`crate::Peer`] is, to which it derefs, and the calls of `PeerConnection`, each
/// a [`Call`], told to the observer as an operation. Once the peer is closed they answer
/// [`OperationError::Closed`](super::OperationError::Closed).
#[derive(Clone)]
pub struct Peer {
    peer: crate::Peer,
    link: Arc<Link>,
}

/// A reference to a [`Peer`] that does not keep its connection open.
///
/// It is what a handler is given of its own peer ([`open`](super::open)), and what a map should have:
/// a handler that holds its own `Peer` keeps its connection open until it is closed by somebody. It
/// can be upgraded as long as anybody owns the peer: a `Peer`, or the [`Peers`](crate::Peers) to
/// which it was [detached](Peer::detach); and once the connection is being built.
#[derive(Clone, Debug)]
pub struct WeakPeer {
    peer: crate::WeakPeer,
}

impl WeakPeer {
    pub(super) fn new(peer: crate::WeakPeer) -> Self {
        Self { peer }
    }

    /// The peer, while somebody owns it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        Peer::try_from(self.peer.upgrade()?).ok()
    }

    /// The peer's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        self.peer.id()
    }

    /// Completes when the connection has ended, and says why; see [`crate::Peer::closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> CloseReason {
        self.peer.closed().await
    }

    /// Why the connection ended; `None` while it has not.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.peer.close_reason()
    }
}

/// The peer of that id, if anybody owns it and it is a connection of the `webrtc` crate; see
/// [`Peers::get`].
///
/// A signalling server finds in this way the peer that a candidate is for, and needs no map of its
/// own:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::webrtc::peer_connection::RTCIceCandidateInit;
/// use anypeer::webrtc::{self, OperationError};
///
/// /// The status of the answer to `POST /peers/{id}/candidates`.
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

/// A peer's connection is not one of the `webrtc` crate. The peer is given back.
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

/// Forwards calls that can fail.
macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
            ///
            /// # Cancel safety
            ///
            /// As in `webrtc`: what was begun on the connection may still take effect.
            pub fn $name(&self, $($arg: $type),*) -> Call<'_, $output> {
                self.call(stringify!($name), move |connection| async move {
                    Ok(connection.$name($($arg),*).await?)
                })
            }
        )*
    };
}

/// Forwards calls that cannot fail while the peer is open.
macro_rules! forward_infallible {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $output:ty = $call:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// [`OperationError::Closed`](super::OperationError::Closed) if the peer is closed.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub fn $name(&self, $($arg: $type),*) -> Call<'_, $output> {
                self.call(stringify!($name), move |connection| async move {
                    Ok(connection.$call($($arg),*).await)
                })
            }
        )*
    };
}

impl Peer {
    pub(super) fn new(peer: crate::Peer, link: Arc<Link>) -> Self {
        Self { peer, link }
    }

    /// The connection itself, for what is not offered here. `None` once the peer is closed.
    ///
    /// Holding it keeps memory, not the connection: it is closed with the peer.
    #[must_use]
    pub fn connection(&self) -> Option<Arc<dyn PeerConnection>> {
        self.link.get()
    }

    /// Hands the connection to its [`Peers`](crate::Peers); see [`crate::Peer::detach`].
    pub fn detach(self) {
        self.peer.detach();
    }

    /// Creates a data channel. It is named in [`Peers::retained`](crate::Peers::retained) if it is kept
    /// after the close.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the channel may have been created.
    pub fn create_data_channel<'a>(
        &'a self,
        label: &'a str,
        options: Option<RTCDataChannelInit>,
    ) -> Call<'a, Arc<dyn DataChannel>> {
        self.call("create_data_channel", move |connection| async move {
            let channel = connection.create_data_channel(label, options).await?;
            self.link.add_channel(&channel, Side::Local, self.peer.status()).await;
            Ok(channel)
        })
    }

    /// Adds a candidate of the remote side. One that comes before the remote description is queued,
    /// and added with it.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, `webrtc` refused, or more than
    /// [`MAX_QUEUED_CANDIDATES`](super::MAX_QUEUED_CANDIDATES) came before the remote description.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the candidate may have been added.
    pub fn add_ice_candidate(&self, candidate: RTCIceCandidateInit) -> Call<'_, ()> {
        self.call("add_ice_candidate", move |connection| async move {
            if connection.remote_description().await.is_some() {
                return self.add_now(&*connection, candidate).await;
            }
            self.link.queue_candidate(candidate)?;
            // The description may have come in between, and then nobody else adds it.
            if connection.remote_description().await.is_some() {
                self.add_queued(&*connection).await?;
            }
            Ok(())
        })
    }

    async fn add_now(
        &self,
        connection: &dyn PeerConnection,
        candidate: RTCIceCandidateInit,
    ) -> Result<(), OperationError> {
        // One that is empty says that there are no more.
        let parsed = candidate.candidate.parse::<Candidate>();
        connection.add_ice_candidate(candidate).await?;
        if let Ok(candidate) = &parsed {
            let side = Side::Remote;
            self.peer.status().tell(|| EventKind::CandidateAdded { side, candidate });
        }
        Ok(())
    }

    /// Adds the candidates that came before the remote description. All of them are tried, and the
    /// first error is the answer.
    async fn add_queued(&self, connection: &dyn PeerConnection) -> Result<(), OperationError> {
        let mut result = Ok(());
        for candidate in self.link.take_candidates() {
            let added = self.add_now(connection, candidate).await;
            result = result.and(added);
        }
        result
    }

    /// Sets the remote description, and adds the candidates that came before it.
    ///
    /// # Errors
    ///
    /// [`OperationError::Glare`] if both sides have made an offer; its documentation has the way
    /// out. Otherwise the peer is closed, or `webrtc` refused the description or a candidate that
    /// was queued, of which the first error is the answer; the description is set then all the
    /// same.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the description may have been set. Candidates that were queued, and not added
    /// yet, are then lost.
    pub fn set_remote_description(&self, description: RTCSessionDescription) -> Call<'_, ()> {
        self.call("set_remote_description", move |connection| async move {
            let is_offer = description.sdp_type == RTCSdpType::Offer;
            if let Err(error) = connection.set_remote_description(description).await {
                let pending = connection.pending_local_description().await;
                let has_offered = pending.is_some_and(|it| it.sdp_type == RTCSdpType::Offer);
                return Err(if is_offer && has_offered {
                    OperationError::Glare
                } else {
                    error.into()
                });
            }
            self.add_queued(&*connection).await
        })
    }

    /// Completes once all local candidates are gathered: then
    /// [`local_description`](Self::local_description) has them.
    ///
    /// # Errors
    ///
    /// [`PeerEnded`] if the peer ends first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn gathering_complete(&self) -> Result<(), PeerEnded> {
        self.peer.wait_until(|| self.link.is_gathered()).await
    }

    /// A reference that does not own the connection: for its own handler, and for maps.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer::new(self.peer.downgrade())
    }

    fn call<'a, T: 'a, F>(
        &'a self,
        name: &'static str,
        call: impl FnOnce(Arc<dyn PeerConnection>) -> F + Send + 'a,
    ) -> Call<'a, T>
    where
        F: Future<Output = Result<T, OperationError>> + Send,
    {
        Call::new(self.peer.status(), &self.link, name, call)
    }

    /// Replaces the configuration, as far as that is possible.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the configuration may have been replaced.
    pub fn set_configuration(&self, configuration: RTCConfiguration) -> Call<'_, ()> {
        self.call("set_configuration", move |connection| async move {
            // Told first, so that its secrets are known whatever comes of it.
            let configured = &convert::configuration(&configuration);
            self.peer.status().tell(|| EventKind::Configured { configuration: configured });
            Ok(connection.set_configuration(configuration).await?)
        })
    }

    /// Adds a track to send.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the track may have been added.
    pub fn add_track(&self, track: Arc<dyn TrackLocal>) -> Call<'_, Arc<dyn RtpSender>> {
        self.call("add_track", move |connection| async move {
            let sender = connection.add_track(Arc::clone(&track)).await?;
            self.note_track(&track).await;
            Ok(sender)
        })
    }

    /// Stops sending a track.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the track may have been removed.
    pub fn remove_track<'a>(&'a self, sender: &'a Arc<dyn RtpSender>) -> Call<'a, ()> {
        self.call("remove_track", move |connection| async move {
            connection.remove_track(sender).await?;
            let id = &sender.track().track_id().await;
            self.peer.status().tell(|| EventKind::TrackRemoved { side: Side::Local, id });
            Ok(())
        })
    }

    /// Adds a transceiver for a track.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the transceiver may have been added.
    pub fn add_transceiver_from_track(
        &self,
        track: Arc<dyn TrackLocal>,
        init: Option<RTCRtpTransceiverInit>,
    ) -> Call<'_, Arc<dyn RtpTransceiver>> {
        self.call("add_transceiver_from_track", move |connection| async move {
            let added = connection.add_transceiver_from_track(Arc::clone(&track), init).await?;
            self.note_track(&track).await;
            Ok(added)
        })
    }

    async fn note_track(&self, track: &Arc<dyn TrackLocal>) {
        let (id, kind) = (&track.track_id().await, convert::media_kind(track.kind().await));
        self.peer.status().tell(|| EventKind::TrackAdded { side: Side::Local, id, kind });
    }

    forward! {
        /// Creates an offer; `None` for default options.
        create_offer(options: Option<RTCOfferOptions>) -> RTCSessionDescription;
        /// Creates an answer; `None` for default options.
        create_answer(options: Option<RTCAnswerOptions>) -> RTCSessionDescription;
        /// Sets the local description, and starts gathering.
        set_local_description(description: RTCSessionDescription) -> ();
        /// Restarts ICE.
        restart_ice() -> ();
        /// Adds a transceiver for a kind of media.
        add_transceiver_from_kind(
            kind: RtpCodecKind,
            init: Option<RTCRtpTransceiverInit>
        ) -> Arc<dyn RtpTransceiver>;
    }

    forward_infallible! {
        /// The local description, with the candidates gathered so far.
        local_description() -> Option<RTCSessionDescription> = local_description;
        /// The local description that is in force.
        current_local_description() -> Option<RTCSessionDescription> = current_local_description;
        /// The local description that is being negotiated.
        pending_local_description() -> Option<RTCSessionDescription> = pending_local_description;
        /// The remote description.
        remote_description() -> Option<RTCSessionDescription> = remote_description;
        /// The remote description that is in force.
        current_remote_description() -> Option<RTCSessionDescription> = current_remote_description;
        /// The remote description that is being negotiated.
        pending_remote_description() -> Option<RTCSessionDescription> = pending_remote_description;
        /// Whether the remote side takes candidates one by one; `None` before it has said.
        can_trickle_ice_candidates() -> Option<bool> = can_trickle_ice_candidates;
        /// The configuration.
        configuration() -> RTCConfiguration = get_configuration;
        /// The senders.
        senders() -> Vec<Arc<dyn RtpSender>> = get_senders;
        /// The receivers.
        receivers() -> Vec<Arc<dyn RtpReceiver>> = get_receivers;
        /// The transceivers.
        transceivers() -> Vec<Arc<dyn RtpTransceiver>> = get_transceivers;
        /// Statistics, as `webrtc` has them: not all in W3C units.
        stats(now: Instant, selector: StatsSelector) -> RTCStatsReport = get_stats;
        /// The SCTP transport, once data was negotiated.
        sctp() -> Option<Arc<dyn SctpTransport>> = sctp;
    }
}
