//! Data channels.

use std::sync::Arc;

use ::webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use ::webrtc::peer_connection::transport::SctpTransport;

use crate::candidate::Side;
use crate::webrtc::call::Call;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Creates a data channel. It is named in [`Peers::retained`](crate::Peers::retained) if it is kept
    /// after the close.
    ///
    /// # Errors
    ///
    /// [`OperationError`](crate::webrtc::OperationError): the peer is closed, or `webrtc` refused.
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

    forward_infallible! {
        /// The SCTP transport, once data was negotiated.
        sctp() -> Option<Arc<dyn SctpTransport>> = sctp;
    }
}
