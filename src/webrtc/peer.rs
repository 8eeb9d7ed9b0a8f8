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
use crate::event::{Event, OperationEnd};

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
        self.link.add_channel(&channel).await;
        Ok(channel)
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
        /// Adds a candidate of the remote side; after the remote description.
        add_ice_candidate(candidate: RTCIceCandidateInit) -> ();
        /// Restarts ICE.
        restart_ice() -> ();
        /// Replaces the configuration, as far as that is possible.
        set_configuration(configuration: RTCConfiguration) -> ();
        /// Adds a track to send.
        add_track(track: Arc<dyn TrackLocal>) -> Arc<dyn RtpSender>;
        /// Stops sending a track.
        remove_track(sender: &Arc<dyn RtpSender>) -> ();
        /// Adds a transceiver for a track.
        add_transceiver_from_track(
            track: Arc<dyn TrackLocal>,
            init: Option<RTCRtpTransceiverInit>
        ) -> Arc<dyn RtpTransceiver>;
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
        let mut told = Operation::start(&self.peer, operation);
        let result = call.await.map_err(OperationError::Webrtc);
        told.end = if result.is_ok() { OperationEnd::Completed } else { OperationEnd::Failed };
        result
    }
}

/// Tells the end of a call when dropped.
struct Operation<'a> {
    peer: &'a crate::Peer,
    operation: &'static str,
    end: OperationEnd,
    /// `None` where nobody watches.
    start: Option<Instant>,
}

impl<'a> Operation<'a> {
    fn start(peer: &'a crate::Peer, operation: &'static str) -> Self {
        let watch = peer.watch();
        watch.tell(|| Event::OperationStarted { peer: peer.id(), operation });
        let start = watch.is_attached().then(Instant::now);
        Self { peer, operation, end: OperationEnd::Canceled, start }
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if let Some(start) = self.start {
            self.peer.watch().tell(|| Event::OperationEnded {
                peer: self.peer.id(),
                operation: self.operation,
                end: self.end,
                took: start.elapsed(),
            });
        }
    }
}
