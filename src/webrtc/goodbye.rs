//! Detects that the remote side has closed the connection (a "goodbye").
//!
//! No callback of `webrtc` reports it: after a remote close the connection stays Connected for 4 s,
//! is Disconnected for 25 s, and is then Failed (measured). But a remote close ends the DTLS
//! transport with a `close_notify`, or, from a browser, only the SCTP association. Either can be
//! read from the transports within 100 ms (measured).

use ::webrtc::peer_connection::{PeerConnection, RTCSessionDescription};
use rtc::peer_connection::transport::RTCSctpTransportState;

use super::transport::{is_closed, media_transports};
use crate::state::ConnectionState;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What was seen of the remote side so far.
#[derive(Default)]
pub(super) struct Goodbye {
    /// Whether the SCTP association was ever established. An association that was not may have been
    /// rejected, and is no goodbye.
    associated: AtomicBool,
}

impl Goodbye {
    /// Whether the remote side has closed the connection. Takes the connection's lock a few times,
    /// for some microseconds each.
    pub(super) async fn was_said(
        &self,
        connection: &dyn PeerConnection,
        state: ConnectionState,
    ) -> bool {
        let Some(sctp) = connection.sctp().await else {
            return self.was_said_by_media(connection).await;
        };
        if is_closed(&sctp.transport()).await {
            return true;
        }
        match sctp.state().await {
            Ok(RTCSctpTransportState::Connected) => {
                self.associated.store(true, Ordering::Release);
                false
            }
            // An association may also end because the network failed. Its end is a goodbye only
            // while the connection is Connected.
            Ok(RTCSctpTransportState::Closed) => {
                state == ConnectionState::Connected
                    && self.associated.load(Ordering::Acquire)
                    && !connection.remote_description().await.is_some_and(|sdp| rejects_data(&sdp))
                    && !connection.local_description().await.is_some_and(|sdp| rejects_data(&sdp))
            }
            _ => self.was_said_by_media(connection).await,
        }
    }

    /// Like [`was_said`](Self::was_said), by the transports of senders and receivers, for a
    /// connection without data channels.
    async fn was_said_by_media(&self, connection: &dyn PeerConnection) -> bool {
        for transport in media_transports(connection).await {
            if is_closed(&transport).await {
                return true;
            }
        }
        false
    }
}

/// Whether the description rejects the data channels: their port is zero (RFC 8829, section 5.3.1),
/// and not only because they are bundled (section 5.2.1).
fn rejects_data(description: &RTCSessionDescription) -> bool {
    let sections = description.sdp.split("\nm=").skip(1);
    let data = sections.filter(|section| section.starts_with("application "));
    data.into_iter().any(|section| {
        section.starts_with("application 0 ")
            && !section.lines().any(|line| line.trim_end() == "a=bundle-only")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_rejected_by_port_zero_unless_that_means_bundled() {
        let rejected = |port: &str, attribute: &str| {
            let sdp = format!(
                "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
                 m=audio 0 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
                 m=application {port} UDP/DTLS/SCTP webrtc-datachannel\r\n\
                 c=IN IP4 0.0.0.0\r\n{attribute}\r\n"
            );
            rejects_data(&RTCSessionDescription::answer(sdp).expect("it can be parsed"))
        };
        assert!(rejected("0", "a=mid:1"), "expected port 0 to reject");
        assert!(!rejected("9", "a=mid:1"), "expected port 9 not to reject");
        assert!(!rejected("0", "a=bundle-only"), "expected it to be bundled");
    }
}
