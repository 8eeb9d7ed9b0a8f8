//! A peer of the `webrtc` crate, with its calls.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use ::webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use ::webrtc::media_stream::track_local::TrackLocal;
use ::webrtc::peer_connection::transport::SctpTransport;
use ::webrtc::peer_connection::{
    PeerConnection, RTCConfiguration, RTCIceCandidateInit, RTCSessionDescription, RTCStatsReport,
    StatsSelector,
};
use ::webrtc::rtp_transceiver::{RtpReceiver, RtpSender, RtpTransceiver};
use rtc::peer_connection::configuration::{RTCAnswerOptions, RTCOfferOptions};
use rtc::rtp_transceiver::RTCRtpTransceiverInit;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use super::call::Call;
use super::connection::Link;
use super::convert;
use crate::candidate::{Candidate, Side};
use crate::event::Event;
use crate::id::PeerId;
use crate::peer::Status;

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
                Call::new(self, stringify!($name), move |connection| async move {
                    connection.$name($($arg),*).await
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
                Call::new(self, stringify!($name), move |connection| async move {
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

    /// Creates a data channel. It is named in [`Peers::held`](crate::Peers::held) if it is kept
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
        Call::new(self, "create_data_channel", move |connection| async move {
            let channel = connection.create_data_channel(label, options).await?;
            self.link.add_channel(&channel, Side::Local, self.peer.status()).await;
            Ok(channel)
        })
    }

    /// Adds a candidate of the remote side; after the remote description.
    ///
    /// # Errors
    ///
    /// [`OperationError`](super::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the candidate may have been added.
    pub fn add_ice_candidate(&self, candidate: RTCIceCandidateInit) -> Call<'_, ()> {
        Call::new(self, "add_ice_candidate", move |connection| async move {
            // One that is empty says that there are no more.
            let parsed = candidate.candidate.parse::<Candidate>();
            connection.add_ice_candidate(candidate).await?;
            if let Ok(candidate) = &parsed {
                self.note(|peer| Event::CandidateAdded { peer, side: Side::Remote, candidate });
            }
            Ok(())
        })
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
        Call::new(self, "set_configuration", move |connection| async move {
            // Told first, so that its secrets are known whatever comes of it.
            let configured = &convert::configuration(&configuration);
            self.note(|peer| Event::Configured { peer, configuration: configured });
            connection.set_configuration(configuration).await
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
        Call::new(self, "add_track", move |connection| async move {
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
        Call::new(self, "remove_track", move |connection| async move {
            connection.remove_track(sender).await?;
            let id = &sender.track().track_id().await;
            self.note(|peer| Event::TrackRemoved { peer, side: Side::Local, id });
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
        Call::new(self, "add_transceiver_from_track", move |connection| async move {
            let added = connection.add_transceiver_from_track(Arc::clone(&track), init).await?;
            self.note_track(&track).await;
            Ok(added)
        })
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
}
