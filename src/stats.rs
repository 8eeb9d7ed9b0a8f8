//! Statistics of a connection, in W3C's terms and units.
//!
//! The names are those of W3C webrtc-stats, and so are the units: seconds, bytes, packets. What a
//! WebRTC stack does not know is `None`, and never a zero that looks like knowledge. Which values
//! the `webrtc` crate does not know is said in [`crate::webrtc`].

use std::time::{Duration, Instant};

use crate::candidate::{Candidate, Side};
use crate::named::named;
use crate::state::{DataChannelState, DtlsTransportState};

/// What a connection knew of itself at one moment (`RTCStatsReport`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatsReport {
    /// When, by the [clock](crate::runtime::Runtime::clock) of the peer's runtime.
    pub at: Instant,
    /// The transport, once there is one. With bundling there is one for everything.
    pub transport: Option<TransportStats>,
    /// The candidate pairs that are known.
    pub candidate_pairs: Vec<CandidatePairStats>,
    /// The candidates that are known.
    pub candidates: Vec<CandidateStats>,
    /// The data channels.
    pub data_channels: Vec<DataChannelStats>,
    /// The streams that are received.
    pub inbound_rtp: Vec<InboundRtpStats>,
    /// The streams that are sent.
    pub outbound_rtp: Vec<OutboundRtpStats>,
}

impl StatsReport {
    /// A report in which nothing is known.
    #[must_use]
    pub fn new(at: Instant) -> Self {
        Self {
            at,
            transport: None,
            candidate_pairs: Vec::new(),
            candidates: Vec::new(),
            data_channels: Vec::new(),
            inbound_rtp: Vec::new(),
            outbound_rtp: Vec::new(),
        }
    }

    /// The pair that is in use.
    #[must_use]
    pub fn selected_pair(&self) -> Option<&CandidatePairStats> {
        let selected = self.transport.as_ref().and_then(|transport| transport.selected_pair);
        let named = selected.and_then(|index| self.candidate_pairs.get(index));
        named.or_else(|| self.candidate_pairs.iter().find(|pair| pair.nominated))
    }

    /// Lets go of what is beyond so many candidates and pairs, and so many channels and streams of
    /// each direction; the pair that is in use stays.
    #[cfg(feature = "monitor")]
    pub(crate) fn keep_at_most(&mut self, candidates: usize, streams: usize) {
        if let Some(transport) = &mut self.transport
            && let Some(index) = transport.selected_pair.filter(|index| *index >= candidates)
            && index < self.candidate_pairs.len()
        {
            self.candidate_pairs.swap(0, index);
            transport.selected_pair = Some(0);
        }
        self.candidate_pairs.truncate(candidates);
        self.candidates.truncate(2 * candidates);
        self.data_channels.truncate(streams);
        self.inbound_rtp.truncate(streams);
        self.outbound_rtp.truncate(streams);
    }

    /// The candidates of a pair, local and remote, where the report has them.
    #[must_use]
    pub fn ends(&self, pair: &CandidatePairStats) -> (Option<&Candidate>, Option<&Candidate>) {
        let candidate = |index: Option<usize>| {
            index.and_then(|index| self.candidates.get(index)).map(|stats| &stats.candidate)
        };
        (candidate(pair.local), candidate(pair.remote))
    }
}

/// `RTCTransportStats`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportStats {
    /// `packetsSent`.
    pub packets_sent: u64,
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `dtlsState`.
    pub dtls_state: DtlsTransportState,
    /// `tlsVersion`, once it is agreed on.
    pub tls_version: Option<String>,
    /// `dtlsCipher`, once it is agreed on.
    pub dtls_cipher: Option<String>,
    /// `srtpCipher`, once it is agreed on.
    pub srtp_cipher: Option<String>,
    /// `selectedCandidatePairId`: the index in [`StatsReport::candidate_pairs`].
    pub selected_pair: Option<usize>,
    /// `selectedCandidatePairChanges`.
    pub selected_pair_changes: u32,
}

impl TransportStats {
    /// One on which nothing has happened.
    #[must_use]
    pub fn new(dtls_state: DtlsTransportState) -> Self {
        Self {
            packets_sent: 0,
            packets_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
            dtls_state,
            tls_version: None,
            dtls_cipher: None,
            srtp_cipher: None,
            selected_pair: None,
            selected_pair_changes: 0,
        }
    }
}

/// `RTCIceCandidateStats`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CandidateStats {
    /// Whose it is.
    pub side: Side,
    /// The candidate.
    pub candidate: Candidate,
}

impl CandidateStats {
    /// A candidate of a side.
    #[must_use]
    pub fn new(side: Side, candidate: Candidate) -> Self {
        Self { side, candidate }
    }
}

named! {
    /// `RTCStatsIceCandidatePairState`.
    CandidatePairState {
        /// Not checked yet, because a like one is.
        Frozen = "frozen",
        /// To be checked.
        Waiting = "waiting",
        /// Being checked.
        InProgress = "in-progress",
        /// The check failed.
        Failed = "failed",
        /// The check succeeded.
        Succeeded = "succeeded",
    }

    /// The kind of a track or stream (`MediaStreamTrack.kind`).
    MediaKind {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
    }
}

/// `RTCIceCandidatePairStats`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CandidatePairStats {
    /// `localCandidateId`: the index in [`StatsReport::candidates`].
    pub local: Option<usize>,
    /// `remoteCandidateId`: the index in [`StatsReport::candidates`].
    pub remote: Option<usize>,
    /// `state`, where it is known.
    pub state: Option<CandidatePairState>,
    /// `nominated`.
    pub nominated: bool,
    /// `packetsSent`.
    pub packets_sent: u64,
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `currentRoundTripTime`, once measured.
    pub current_round_trip_time: Option<Duration>,
    /// The number of connectivity checks, where it is known.
    pub checks: Option<CheckStats>,
}

impl CandidatePairStats {
    /// A pair on which nothing has happened.
    #[must_use]
    pub fn new(local: Option<usize>, remote: Option<usize>) -> Self {
        Self {
            local,
            remote,
            state: None,
            nominated: false,
            packets_sent: 0,
            packets_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
            current_round_trip_time: None,
            checks: None,
        }
    }
}

/// Connectivity checks of one pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckStats {
    /// `requestsSent`.
    pub requests_sent: u64,
    /// `requestsReceived`.
    pub requests_received: u64,
    /// `responsesSent`.
    pub responses_sent: u64,
    /// `responsesReceived`.
    pub responses_received: u64,
    /// `consentRequestsSent`.
    pub consent_requests_sent: u64,
}

/// `RTCDataChannelStats`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataChannelStats {
    /// Its number, unique in the connection.
    pub id: u64,
    /// `dataChannelIdentifier`: the number of its SCTP stream, once it has one.
    pub stream: Option<u16>,
    /// `label`.
    pub label: String,
    /// `protocol`.
    pub protocol: String,
    /// `state`, where it is known.
    pub state: Option<DataChannelState>,
    /// `messagesSent`.
    pub messages_sent: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `messagesReceived`.
    pub messages_received: u64,
    /// `bytesReceived`.
    pub bytes_received: u64,
}

impl DataChannelStats {
    /// A channel on which nothing has happened.
    #[must_use]
    pub fn new(id: u64, label: impl Into<String>) -> Self {
        Self {
            id,
            stream: None,
            label: label.into(),
            protocol: String::new(),
            state: None,
            messages_sent: 0,
            bytes_sent: 0,
            messages_received: 0,
            bytes_received: 0,
        }
    }
}

/// `RTCInboundRtpStreamStats`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InboundRtpStats {
    /// `ssrc`.
    pub ssrc: u32,
    /// `kind`.
    pub kind: MediaKind,
    /// `mid`, where it is known.
    pub mid: Option<String>,
    /// `mimeType` of the codec, where it is known.
    pub codec: Option<String>,
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `packetsLost`; negative where more came than were sent.
    pub packets_lost: i64,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `jitter`, where it is known.
    pub jitter: Option<Duration>,
    /// `nackCount`: how many were sent.
    pub nack_count: u64,
    /// `pliCount`: how many were sent.
    pub pli_count: u64,
    /// `freezeCount`; only a decoder knows it.
    pub freeze_count: Option<u64>,
}

impl InboundRtpStats {
    /// A stream of which nothing has come.
    #[must_use]
    pub fn new(ssrc: u32, kind: MediaKind) -> Self {
        Self {
            ssrc,
            kind,
            mid: None,
            codec: None,
            packets_received: 0,
            packets_lost: 0,
            bytes_received: 0,
            jitter: None,
            nack_count: 0,
            pli_count: 0,
            freeze_count: None,
        }
    }
}

/// `RTCOutboundRtpStreamStats`, and what the remote side reports of the stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutboundRtpStats {
    /// `ssrc`.
    pub ssrc: u32,
    /// `kind`.
    pub kind: MediaKind,
    /// `mid`, where it is known.
    pub mid: Option<String>,
    /// `mimeType` of the codec, where it is known.
    pub codec: Option<String>,
    /// `packetsSent`.
    pub packets_sent: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `retransmittedPacketsSent`.
    pub retransmitted_packets_sent: u64,
    /// `nackCount`: how many were received, where that is known.
    pub nack_count: Option<u64>,
    /// `pliCount`: how many were received, where that is known.
    pub pli_count: Option<u64>,
    /// `packetsLost` of the remote side's report, where there is one.
    pub remote_packets_lost: Option<i64>,
    /// `roundTripTime` of the remote side's report, where there is one.
    pub round_trip_time: Option<Duration>,
}

impl OutboundRtpStats {
    /// A stream of which nothing was sent.
    #[must_use]
    pub fn new(ssrc: u32, kind: MediaKind) -> Self {
        Self {
            ssrc,
            kind,
            mid: None,
            codec: None,
            packets_sent: 0,
            bytes_sent: 0,
            retransmitted_packets_sent: 0,
            nack_count: None,
            pli_count: None,
            remote_packets_lost: None,
            round_trip_time: None,
        }
    }
}
