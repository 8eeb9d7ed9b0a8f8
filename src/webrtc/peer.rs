//! A peer of the `webrtc` crate, with its calls.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use ::webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use ::webrtc::error::{Error, Result as WebrtcResult};
use ::webrtc::media_stream::track_local::TrackLocal;
use ::webrtc::peer_connection::transport::SctpTransport;
use ::webrtc::peer_connection::{
    PeerConnection, RTCConfiguration, RTCIceCandidateInit, RTCSessionDescription, RTCStatsReport,
    StatsSelector,
};
use ::webrtc::rtp_transceiver::{RtpReceiver, RtpSender, RtpTransceiver};
use futures::FutureExt;
use rtc::peer_connection::configuration::{RTCAnswerOptions, RTCOfferOptions};
use rtc::rtp_transceiver::RTCRtpTransceiverInit;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use super::connection::Link;
use super::convert;
use crate::candidate::{Candidate, Side};
use crate::event::{Event, Target};
use crate::id::PeerId;
use crate::operation::Told;
use crate::peer::Status;

/// An owner of a connection of the `webrtc` crate.
///
/// Everything that [`crate::Peer`] is, to which it derefs, and the calls of `PeerConnection`, each
/// of which is told to the observer as an operation. Once the peer is closed they answer
/// [`OperationError::Closed`].
#[derive(Clone)]
pub struct Peer {
    peer: crate::Peer,
    link: Arc<Link>,
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

/// Why a call on a peer has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperationError {
    /// The peer is closed.
    Closed,
    /// The `webrtc` crate's own error.
    Webrtc(Error),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer is closed"),
            Self::Webrtc(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OperationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Webrtc(error) => error.source(),
        }
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
            /// [`OperationError`]: the peer is closed, or `webrtc` refused.
            ///
            /// # Cancel safety
            ///
            /// As in `webrtc`: what was begun on the connection may still take effect.
            pub async fn $name(&self, $($arg: $type),*) -> Result<$output, OperationError> {
                let connection = self.connection().ok_or(OperationError::Closed)?;
                self.operation(stringify!($name), connection.$name($($arg),*)).await
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
            /// [`OperationError::Closed`] if the peer is closed.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub async fn $name(&self, $($arg: $type),*) -> Result<$output, OperationError> {
                let connection = self.connection().ok_or(OperationError::Closed)?;
                self.operation(stringify!($name), connection.$call($($arg),*).map(Ok)).await
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

    /// Creates a data channel. It is named in [`Peers::held`](crate::Peers::held) if it is kept
    /// after the close.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the channel may have been created.
    pub async fn create_data_channel(
        &self,
        label: &str,
        options: Option<RTCDataChannelInit>,
    ) -> Result<Arc<dyn DataChannel>, OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        let created = connection.create_data_channel(label, options);
        let channel = self.operation("create_data_channel", created).await?;
        self.link.add_channel(&channel, Side::Local, self.peer.status()).await;
        Ok(channel)
    }

    /// Adds a candidate of the remote side; after the remote description.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the candidate may have been added.
    pub async fn add_ice_candidate(
        &self,
        candidate: RTCIceCandidateInit,
    ) -> Result<(), OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        // One that is empty says that there are no more.
        let parsed = candidate.candidate.parse::<Candidate>();
        self.operation("add_ice_candidate", connection.add_ice_candidate(candidate)).await?;
        if let Ok(candidate) = &parsed {
            self.note(|peer| Event::CandidateAdded { peer, side: Side::Remote, candidate });
        }
        Ok(())
    }

    /// Replaces the configuration, as far as that is possible.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the configuration may have been replaced.
    pub async fn set_configuration(
        &self,
        configuration: RTCConfiguration,
    ) -> Result<(), OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        // Told first, so that its secrets are known whatever comes of it.
        let configured = &convert::configuration(&configuration);
        self.note(|peer| Event::Configured { peer, configuration: configured });
        self.operation("set_configuration", connection.set_configuration(configuration)).await
    }

    /// Adds a track to send.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the track may have been added.
    pub async fn add_track(
        &self,
        track: Arc<dyn TrackLocal>,
    ) -> Result<Arc<dyn RtpSender>, OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        let added = connection.add_track(Arc::clone(&track));
        let sender = self.operation("add_track", added).await?;
        self.note_track(&track).await;
        Ok(sender)
    }

    /// Stops sending a track.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the track may have been removed.
    pub async fn remove_track(&self, sender: &Arc<dyn RtpSender>) -> Result<(), OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        self.operation("remove_track", connection.remove_track(sender)).await?;
        let id = &sender.track().track_id().await;
        self.note(|peer| Event::TrackRemoved { peer, side: Side::Local, id });
        Ok(())
    }

    /// Adds a transceiver for a track.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the transceiver may have been added.
    pub async fn add_transceiver_from_track(
        &self,
        track: Arc<dyn TrackLocal>,
        init: Option<RTCRtpTransceiverInit>,
    ) -> Result<Arc<dyn RtpTransceiver>, OperationError> {
        let connection = self.connection().ok_or(OperationError::Closed)?;
        let added = connection.add_transceiver_from_track(Arc::clone(&track), init);
        let transceiver = self.operation("add_transceiver_from_track", added).await?;
        self.note_track(&track).await;
        Ok(transceiver)
    }

    async fn note_track(&self, track: &Arc<dyn TrackLocal>) {
        let (id, kind) = (&track.track_id().await, convert::media_kind(track.kind().await));
        self.note(|peer| Event::TrackAdded { peer, side: Side::Local, id, kind });
    }

    /// Tells whoever watches.
    fn note<'a>(&'a self, event: impl FnOnce(&'a PeerId) -> Event<'a>) {
        let Status { id, watch, .. } = self.peer.status();
        watch.tell(|| event(id));
    }

    forward! {
        /// Creates an offer; `None` for default options.
        create_offer(options: Option<RTCOfferOptions>) -> RTCSessionDescription;
        /// Creates an answer; `None` for default options.
        create_answer(options: Option<RTCAnswerOptions>) -> RTCSessionDescription;
        /// Sets the local description, and starts gathering.
        set_local_description(description: RTCSessionDescription) -> ();
        /// Sets the remote description.
        set_remote_description(description: RTCSessionDescription) -> ();
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

    /// One call: told to the observer from its start to its one end.
    async fn operation<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = WebrtcResult<T>>,
    ) -> Result<T, OperationError> {
        let told = Told::start(&self.peer.status().watch, operation, Target::Peer(self.peer.id()));
        let result = call.await.map_err(OperationError::Webrtc);
        told.end(&result);
        result
    }
}
