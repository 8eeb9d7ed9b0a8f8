//! Calls of tracks, senders, receivers and transceivers.

use std::sync::Arc;

use ::webrtc::media_stream::track_local::TrackLocal;
use ::webrtc::rtp_transceiver::{RtpReceiver, RtpSender, RtpTransceiver};
use rtc::rtp_transceiver::RTCRtpTransceiverInit;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use crate::candidate::Side;
use crate::event::EventKind;
use crate::webrtc::call::Call;
use crate::webrtc::convert;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Adds a track to send. After that, negotiate the session again.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or `webrtc`
    /// refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the track may have been added.
    pub fn add_track(&self, track: Arc<dyn TrackLocal>) -> Call<'_, Arc<dyn RtpSender>> {
        self.call("add_track", move |connection| async move {
            let sender = connection.add_track(Arc::clone(&track)).await?;
            self.note_track(&track).await;
            Ok(sender)
        })
    }

    /// Stops sending the track of `sender`. After that, negotiate the session again.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or `webrtc`
    /// refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the track may have been removed.
    pub fn remove_track<'a>(&'a self, sender: &'a Arc<dyn RtpSender>) -> Call<'a, ()> {
        self.call("remove_track", move |connection| async move {
            connection.remove_track(sender).await?;
            let id = &sender.track().track_id().await;
            self.peer.status().tell(|| EventKind::TrackRemoved { side: Side::Local, id });
            Ok(())
        })
    }

    /// Adds a transceiver that sends `track`, with default options if `init` is `None`.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or `webrtc`
    /// refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the transceiver may have been added.
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

    /// Reports a local track to the observers.
    async fn note_track(&self, track: &Arc<dyn TrackLocal>) {
        let (id, kind) = (&track.track_id().await, convert::media_kind(track.kind().await));
        self.peer.status().tell(|| EventKind::TrackAdded { side: Side::Local, id, kind });
    }

    forward! {
        /// Adds a transceiver for a kind of media, without a track, and with default options if
        /// `init` is `None`.
        add_transceiver_from_kind(
            kind: RtpCodecKind,
            init: Option<RTCRtpTransceiverInit>
        ) -> Arc<dyn RtpTransceiver>;
    }

    forward_infallible! {
        /// Returns the senders.
        senders() -> Vec<Arc<dyn RtpSender>> = get_senders;
        /// Returns the receivers.
        receivers() -> Vec<Arc<dyn RtpReceiver>> = get_receivers;
        /// Returns the transceivers.
        transceivers() -> Vec<Arc<dyn RtpTransceiver>> = get_transceivers;
    }
}
