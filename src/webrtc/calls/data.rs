//! Calls of data channels.

use std::sync::Arc;

use ::webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use ::webrtc::peer_connection::transport::SctpTransport;

use crate::candidate::Side;
use crate::webrtc::call::Call;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Creates a data channel. If `options` is `None`, the channel is reliable and ordered.
    ///
    /// If the application still holds the channel after the close,
    /// [`Peers::retained`](crate::Peers::retained) names it.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or `webrtc`
    /// refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the channel may have been created.
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

    forward_infallible! {
        /// Returns the SCTP transport; `None` before data channels are negotiated.
        sctp() -> Option<Arc<dyn SctpTransport>> = sctp;
    }
}
