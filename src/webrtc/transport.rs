//! The DTLS transports of a connection.

use std::sync::Arc;

use ::webrtc::peer_connection::PeerConnection;
use ::webrtc::peer_connection::transport::DtlsTransport;
use rtc::peer_connection::transport::RTCDtlsTransportState;

/// Returns the transports of the senders and receivers that have one.
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

/// Returns the transport on which everything is bundled, if it can be reached: through SCTP, or
/// else through a sender or receiver.
pub(super) async fn transport(connection: &dyn PeerConnection) -> Option<Arc<dyn DtlsTransport>> {
    match connection.sctp().await {
        Some(sctp) => Some(sctp.transport()),
        None => media_transports(connection).await.into_iter().next(),
    }
}

/// Whether the transport is known to be closed.
pub(super) async fn is_closed(transport: &Arc<dyn DtlsTransport>) -> bool {
    transport.state().await.is_ok_and(|state| state == RTCDtlsTransportState::Closed)
}
