//! DTLS alerts, read from the datagrams of a socket.
//!
//! `webrtc` does not report why a DTLS handshake fails: the connection stays Connecting. An alert
//! during the handshake is not encrypted and names the reason. The first byte of a datagram
//! distinguishes an alert from other traffic (RFC 7983).

use std::sync::Arc;

use crate::candidate::Side;
use crate::event::EventKind;
use crate::peer::Status;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The content type of an alert record (RFC 5246, section 6.2.1).
const ALERT: u8 = 21;
/// The length of a record header: type, version, epoch, sequence number and length (RFC 6347,
/// section 4.1).
const HEADER_BYTES: usize = 13;
/// The length of an alert: level and description (RFC 5246, section 7.2).
const ALERT_BYTES: usize = 2;

/// The level of an alert that ends the connection (RFC 5246, section 7.2).
const FATAL: u8 = 2;

/// Reports the first alert of each side that passes one socket. Anybody can send an unencrypted
/// alert, so further alerts are not reported, whatever their rate.
pub(super) struct Alerts {
    /// `None` if nobody observes the peer.
    status: Option<Arc<Status>>,
    /// Whether an alert of each side was reported, the local side first.
    told: [AtomicBool; 2],
}

impl Alerts {
    /// Creates the reporter for one socket of a peer. Without observers, it does nothing.
    pub(super) fn of(status: &Arc<Status>) -> Self {
        let status = status.watch.is_attached().then(|| Arc::clone(status));
        Self { status, told: Default::default() }
    }

    /// Reads a datagram that `side` has sent.
    #[inline]
    pub(super) fn pass(&self, side: Side, datagram: &[u8]) {
        if datagram.first() == Some(&ALERT)
            && let Some(status) = &self.status
            && let Some(description) = description(datagram)
            && !self.told[usize::from(side == Side::Remote)].swap(true, Ordering::AcqRel)
        {
            status.tell(|| EventKind::DtlsAlert { side, description });
        }
    }
}

/// The description of an unencrypted fatal alert; `None` for any other datagram. An encrypted alert
/// has an epoch other than 0.
fn description(datagram: &[u8]) -> Option<u8> {
    let record = datagram.get(..HEADER_BYTES + ALERT_BYTES)?;
    let (epoch, length) = (&record[3..5], &record[11..13]);
    let clear = epoch == [0, 0] && length == [0, ALERT_BYTES as u8];
    let fatal = clear && record[HEADER_BYTES] == FATAL;
    fatal.then_some(record[HEADER_BYTES + 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_read_in_the_clear_and_nothing_else_is() {
        let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 2, 42];
        assert_eq!(description(&alert), Some(42));
        assert_eq!(description(&alert[..14]), None, "expected a torn one to say nothing");
        let mut encrypted = alert;
        encrypted[4] = 1;
        assert_eq!(description(&encrypted), None);
        assert_eq!(description(&[]), None);
        let mut warning = alert;
        warning[13] = 1;
        assert_eq!(description(&warning), None, "expected a warning to end nothing");
    }
}
