//! DTLS alerts, as they pass the socket.
//!
//! `webrtc` tells nobody why a DTLS handshake fails: the connection stays Connecting. But an alert
//! in a handshake is sent in the clear, and says it. One look at the first byte of a datagram tells
//! an alert from everything else (RFC 7983).

use std::sync::Arc;

use crate::candidate::Side;
use crate::event::EventKind;
use crate::peer::Status;
use crate::sync::atomic::{AtomicBool, Ordering};

/// A record's content type (RFC 5246, section 6.2.1).
const ALERT: u8 = 21;
/// Type, version, epoch, sequence number, length (RFC 6347, section 4.1).
const HEADER_BYTES: usize = 13;
/// Level and description (RFC 5246, section 7.2).
const ALERT_BYTES: usize = 2;

/// The level of an alert that ends the connection.
const FATAL: u8 = 2;

/// Tells the alerts of one connection, the first of each side: an alert in the clear can be
/// anybody's, and is not to be told at the rate at which they come.
pub(super) struct Alerts {
    status: Option<Arc<Status>>,
    told: [AtomicBool; 2],
}

impl Alerts {
    /// Tells nobody where nobody watches.
    pub(super) fn of(status: &Arc<Status>) -> Self {
        let status = status.watch.is_attached().then(|| Arc::clone(status));
        Self { status, told: Default::default() }
    }

    /// Takes note of a datagram that `side` has sent.
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

/// What an alert in the clear says; one that is encrypted is of a later epoch.
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
