//! The evidence that the rules evaluate.

use std::time::Duration;

use super::cause::Stage;
use crate::candidate::Candidate;
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, DtlsTransportState, IceConnectionState, IceGatheringState, SignalingState,
};
use crate::stats::CheckStats;

/// The evidence of one connection.
pub(crate) struct Evidence<'a> {
    /// Whether the connection tells its states. If it does not, there is no diagnosis.
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
    /// How long the connection had been connected at its last sample.
    pub(crate) sampled_for: Duration,
    /// The number of closes that did not close the connection.
    pub(crate) not_closed: u64,
    pub(crate) close: Option<CloseReason>,
}

/// A negotiation that takes longer than this is considered stuck.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(10);
/// DTLS retransmits a flight after 1, 2 and 4 s (RFC 6347). A handshake that takes longer than this
/// is considered stuck.
pub(super) const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// If no media has arrived after this time, none is expected any more.
const MEDIA_LIMIT: Duration = Duration::from_secs(15);
/// How long a data channel may take to open. The SCTP handshake takes two round trips after DTLS.
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

    /// Whether somebody closed the connection before it had the time to connect.
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

    /// Whether there is something to explain: the connection failed, was lost, or ended without
    /// ever having been connected.
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
