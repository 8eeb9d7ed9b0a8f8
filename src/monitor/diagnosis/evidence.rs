//! What the rules look at.

use std::time::Duration;

use super::cause::Stage;
use crate::candidate::Candidate;
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, DtlsTransportState, IceConnectionState, IceGatheringState, SignalingState,
};
use crate::stats::CheckStats;

/// All that the rules look at.
pub(crate) struct Evidence<'a> {
    /// Whether the connection tells its states at all: of one that does not, nothing is known.
    pub(crate) tells_state: bool,
    pub(crate) age: Duration,
    pub(crate) since_ice: Duration,
    pub(crate) state: ConnectionState,
    pub(crate) ice: IceConnectionState,
    pub(crate) gathering: IceGatheringState,
    pub(crate) signaling: SignalingState,
    pub(crate) dtls: Option<DtlsTransportState>,
    pub(crate) was_connected: bool,
    pub(crate) ice_was_connected: bool,
    pub(crate) described: [bool; 2],
    pub(crate) restarting: bool,
    pub(crate) candidates: [&'a [Candidate]; 2],
    /// STUN's error codes, with their texts.
    pub(crate) candidate_errors: &'a [(u16, Box<str>)],
    pub(crate) servers: usize,
    pub(crate) relay_only: bool,
    pub(crate) checks: Option<CheckStats>,
    pub(crate) transport_packets: Option<(u64, u64)>,
    pub(crate) alerts: [Option<u8>; 2],
    pub(crate) data_negotiated: bool,
    pub(crate) data_open: bool,
    pub(crate) media_expected: bool,
    pub(crate) media_packets: u64,
    /// How long it had been connected when it was last sampled.
    pub(crate) sampled_for: Duration,
    /// Closes that did not close it.
    pub(crate) not_closed: u64,
    pub(crate) close: Option<CloseReason>,
}

/// Negotiations that take longer than this are taken to be stuck.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(10);
/// RFC 6347 retransmits a flight after 1, 2, 4 s: a handshake that lasts longer does not end.
pub(super) const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// Connected media that has not come by then will not.
const MEDIA_LIMIT: Duration = Duration::from_secs(15);
/// SCTP's handshake takes two round trips after DTLS's.
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);

impl Evidence<'_> {
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self { was_connected: true, .. } => Stage::Connected,
            Self { ice_was_connected: true, .. } => Stage::Dtls,
            Self { described: [true, true], .. } => Stage::Ice,
            _ => Stage::Negotiation,
        }
    }

    /// Whether it was closed by somebody before it had the time to connect.
    pub(crate) fn had_no_time(&self) -> bool {
        let asked = |reason: CloseReason| !reason.is_reaped() && reason != CloseReason::Ended;
        !self.was_connected && self.close.is_some_and(asked) && self.age < NEGOTIATION_LIMIT
    }

    pub(super) fn lacks_media(&self) -> bool {
        self.media_expected && self.media_packets == 0 && self.sampled_for >= MEDIA_LIMIT
    }

    pub(super) fn lacks_data(&self) -> bool {
        self.data_negotiated
            && !self.data_open
            && self.dtls == Some(DtlsTransportState::Connected)
            && self.sampled_for >= CHANNEL_LIMIT
    }

    /// Whether there is anything to explain: it failed, was lost, or is over without ever having
    /// been connected.
    pub(super) fn needs_explaining(&self) -> bool {
        let over = self.close.is_some();
        match self.state {
            ConnectionState::Failed | ConnectionState::Disconnected => true,
            _ if self.close == Some(CloseReason::RemoteClosed) => true,
            _ if self.close.is_some_and(CloseReason::is_reaped) => true,
            _ if self.close == Some(CloseReason::Ended) => true,
            _ if !self.was_connected => over || self.age >= NEGOTIATION_LIMIT,
            _ => self.lacks_media() || self.lacks_data(),
        }
    }
}
