//! The transports of a connection.

use std::sync::Arc;

use ::webrtc::peer_connection::PeerConnection;
use ::webrtc::peer_connection::transport::DtlsTransport;
use rtc::peer_connection::transport::RTCDtlsTransportState;

/// Those of its senders and receivers, as far as they have any.
pub(super) async fn media_transports(
    connection: &dyn PeerConnection,
) -> Vec<Arc<dyn DtlsTransport>> {
    let mut transports = Vec::new();
    for transceiver in connection.get_transceivers().await {
        let transport = match transceiver.receiver().await {
            Ok(Some(receiver)) => receiver.transport().await.ok().flatten(),
            _ => None,
        };
        let transport = match (transport, transceiver.sender().await) {
            (None, Ok(Some(sender))) => sender.transport().await.ok().flatten(),
            (transport, _) => transport,
        };
        transports.extend(transport);
    }
    transports
}

/// The one that everything is bundled on, if it can be reached.
pub(super) async fn transport(connection: &dyn PeerConnection) -> Option<Arc<dyn DtlsTransport>> {
    match connection.sctp().await {
        Some(sctp) => Some(sctp.transport()),
        None => media_transports(connection).await.into_iter().next(),
    }
}

pub(super) async fn is_closed(transport: &Arc<dyn DtlsTransport>) -> bool {
    transport.state().await.is_ok_and(|state| state == RTCDtlsTransportState::Closed)
}
