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
    /// The time since the connection was opened.
    pub(crate) age: Duration,
    /// The time since ICE was first connected; zero if it never was.
    pub(crate) since_ice: Duration,
    pub(crate) state: ConnectionState,
    pub(crate) ice: IceConnectionState,
    pub(crate) gathering: IceGatheringState,
    pub(crate) signaling: SignalingState,
    pub(crate) dtls: Option<DtlsTransportState>,
    pub(crate) was_connected: bool,
    pub(crate) ice_was_connected: bool,
    /// Whether the local and the remote description were set.
    pub(crate) described: [bool; 2],
    /// Whether an ICE restart was offered and not answered yet.
    pub(crate) restarting: bool,
    /// The local and the remote candidates.
    pub(crate) candidates: [&'a [Candidate]; 2],
    /// STUN error codes, with their texts.
    pub(crate) candidate_errors: &'a [(u16, Box<str>)],
    /// The number of STUN and TURN servers.
    pub(crate) servers: usize,
    pub(crate) relay_only: bool,
    /// The connectivity checks of the selected pair.
    pub(crate) checks: Option<CheckStats>,
    /// The packets that were sent and received.
    pub(crate) transport_packets: Option<(u64, u64)>,
    /// The DTLS alerts that the local and the remote side sent.
    pub(crate) alerts: [Option<u8>; 2],
    /// Whether a description has a section for data channels.
    pub(crate) data_negotiated: bool,
    /// Whether a data channel is open or has received a message.
    pub(crate) data_open: bool,
    /// Whether the remote description says that the remote side sends media.
    pub(crate) media_expected: bool,
    /// The media packets that were received.
    pub(crate) media_packets: u64,
    /// How long the connection had been connected at its last sample.
    pub(crate) sampled_for: Duration,
    /// The number of closes that did not close the connection.
    pub(crate) not_closed: u64,
    /// The reason of the connection's end, if it has ended.
    pub(crate) close: Option<CloseReason>,
}

/// A connection that has not connected within this time is diagnosed. One that was closed earlier
/// had no time to connect.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(10);
/// DTLS retransmits a flight after 1, 2 and 4 s (RFC 6347). A handshake that takes longer than this
/// is considered stuck.
pub(super) const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// A connection that expects media and has received none within this time is diagnosed.
const MEDIA_LIMIT: Duration = Duration::from_secs(15);
/// How long a data channel may take to open. The SCTP handshake takes two round trips after DTLS.
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);

impl Evidence<'_> {
    /// The stage that the connection has reached.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self { was_connected: true, .. } => Stage::Connected,
            Self { ice_was_connected: true, .. } => Stage::Dtls,
            Self { described: [true, true], .. } => Stage::Ice,
            _ => Stage::Negotiation,
        }
    }

    /// Whether this side closed the connection before it had the time to connect. A close by the
    /// reaper does not count.
    pub(crate) fn had_no_time(&self) -> bool {
        let asked = |reason: CloseReason| !reason.is_reaped() && reason != CloseReason::Ended;
        !self.was_connected && self.close.is_some_and(asked) && self.age < NEGOTIATION_LIMIT
    }

    /// Whether media is expected, and none has arrived in time.
    pub(super) fn lacks_media(&self) -> bool {
        self.media_expected && self.media_packets == 0 && self.sampled_for >= MEDIA_LIMIT
    }

    /// Whether data channels were negotiated, and none has opened in time.
    pub(super) fn lacks_data(&self) -> bool {
        self.data_negotiated
            && !self.data_open
            && self.dtls == Some(DtlsTransportState::Connected)
            && self.sampled_for >= CHANNEL_LIMIT
    }

    /// Whether the connection is to be diagnosed: it failed, was lost or closed by the remote side,
    /// ended by itself, has not connected in time, or does not carry what was negotiated.
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
