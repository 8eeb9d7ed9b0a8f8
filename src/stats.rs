//! Statistics of a connection, in the terms and units of W3C webrtc-stats.
//!
//! Fields are documented by their W3C names. Sizes are in bytes, counts of packets are since the
//! connection was built, and round-trip times and jitter are [`Duration`]s. A value that the WebRTC
//! stack does not know is `None`, and never zero.
//!
//! The `webrtc` crate 0.21 does not know the state of pairs that are not being checked, NACKs and
//! PLIs that were received, what the remote side reports of a sent stream, and frozen frames. It
//! counts connectivity checks only for the selected pair.

use std::time::{Duration, Instant};

use crate::candidate::{Candidate, Side};
use crate::named::named;
use crate::state::{DataChannelState, DtlsTransportState};

/// The statistics of a connection at one instant (`RTCStatsReport`).
///
/// [`Probe::stats`](crate::peer::Probe::stats) and
/// [`EventKind::Stats`](crate::EventKind::Stats) provide it.
///
/// ```
/// use anypeer::stats::StatsReport;
///
/// fn print(report: &StatsReport) {
///     let Some(pair) = report.selected_pair() else { return };
///     if let (Some(local), Some(remote)) = report.ends(pair) {
///         println!("{local} to {remote}: {:?}", pair.current_round_trip_time);
///     }
///     for stream in &report.inbound_rtp {
///         println!("{}: {} packets lost", stream.kind, stream.packets_lost);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatsReport {
    /// The time of the report, by the [clock](crate::runtime::Runtime::clock) of the peer's
    /// runtime.
    pub at: Instant,
    /// The transport; `None` before there is one. With bundling, there is a single transport.
    pub transport: Option<TransportStats>,
    /// The candidate pairs that are known.
    pub candidate_pairs: Vec<CandidatePairStats>,
    /// The candidates that are known.
    pub candidates: Vec<CandidateStats>,
    /// The data channels.
    pub data_channels: Vec<DataChannelStats>,
    /// The RTP streams that are received.
    pub inbound_rtp: Vec<InboundRtpStats>,
    /// The RTP streams that are sent.
    pub outbound_rtp: Vec<OutboundRtpStats>,
}

impl StatsReport {
    /// Creates an empty report.
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

    /// The pair that the transport has selected, or else the first nominated pair.
    #[must_use]
    pub fn selected_pair(&self) -> Option<&CandidatePairStats> {
        let selected = self.transport.as_ref().and_then(|transport| transport.selected_pair);
        let named = selected.and_then(|index| self.candidate_pairs.get(index));
        named.or_else(|| self.candidate_pairs.iter().find(|pair| pair.nominated))
    }

    /// Drops what exceeds `candidates` pairs, twice as many candidates, `streams` data channels and
    /// `streams` RTP streams in each direction. The selected pair is kept.
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

    /// The local and the remote candidate of a pair; `None` for one that is not in the report.
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
    /// `tlsVersion`; `None` before it is negotiated.
    pub tls_version: Option<String>,
    /// `dtlsCipher`; `None` before it is negotiated.
    pub dtls_cipher: Option<String>,
    /// `srtpCipher`; `None` before it is negotiated.
    pub srtp_cipher: Option<String>,
    /// `selectedCandidatePairId`, as an index into [`StatsReport::candidate_pairs`].
    pub selected_pair: Option<usize>,
    /// `selectedCandidatePairChanges`.
    pub selected_pair_changes: u32,
}

impl TransportStats {
    /// Creates the statistics of a transport without traffic.
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
    /// The side that the candidate belongs to.
    pub side: Side,
    /// The candidate.
    pub candidate: Candidate,
}

impl CandidateStats {
    /// Creates the statistics of a candidate.
    #[must_use]
    pub fn new(side: Side, candidate: Candidate) -> Self {
        Self { side, candidate }
    }
}

named! {
    /// `RTCStatsIceCandidatePairState`.
    CandidatePairState {
        /// The pair is not checked yet, because a pair with the same foundation is.
        Frozen = "frozen",
        /// The pair will be checked.
        Waiting = "waiting",
        /// The pair is being checked.
        InProgress = "in-progress",
        /// The check of the pair has failed.
        Failed = "failed",
        /// The check of the pair has succeeded.
        Succeeded = "succeeded",
    }

    /// The kind of a track or stream (`MediaStreamTrack.kind`).
    MediaKind {
        /// Audio.
        Audio = "audio",
        /// Video.
        Video = "video",
    }
}

/// `RTCIceCandidatePairStats`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CandidatePairStats {
    /// `localCandidateId`, as an index into [`StatsReport::candidates`].
    pub local: Option<usize>,
    /// `remoteCandidateId`, as an index into [`StatsReport::candidates`].
    pub remote: Option<usize>,
    /// `state`; `None` if it is not known.
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
    /// `currentRoundTripTime`; `None` before it was measured.
    pub current_round_trip_time: Option<Duration>,
    /// The numbers of connectivity checks; `None` if they are not known.
    pub checks: Option<CheckStats>,
}

impl CandidatePairStats {
    /// Creates the statistics of a pair without traffic.
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

/// The numbers of connectivity checks of one pair, as part of `RTCIceCandidatePairStats`.
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
    /// The number of the channel, which is unique in the connection. It is not the SCTP stream id.
    pub id: u64,
    /// `dataChannelIdentifier`: the SCTP stream id; `None` before the channel has one.
    pub stream: Option<u16>,
    /// `label`.
    pub label: String,
    /// `protocol`.
    pub protocol: String,
    /// `state`; `None` if it is not known.
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
    /// Creates the statistics of a channel without traffic.
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
    /// `mid`; `None` if it is not known.
    pub mid: Option<String>,
    /// `mimeType` of the codec; `None` if it is not known.
    pub codec: Option<String>,
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `packetsLost`, which is negative if duplicates arrived (RFC 3550, section 6.4.1).
    pub packets_lost: i64,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `jitter`; `None` if it is not known.
    pub jitter: Option<Duration>,
    /// `nackCount`: the number of NACKs that this side has sent.
    pub nack_count: u64,
    /// `pliCount`: the number of PLIs that this side has sent.
    pub pli_count: u64,
    /// `freezeCount`; `None` if there is no decoder that counts frozen frames.
    pub freeze_count: Option<u64>,
}

impl InboundRtpStats {
    /// Creates the statistics of a stream of which nothing was received.
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

/// `RTCOutboundRtpStreamStats`, with the values that the remote side reports of the stream
/// (`RTCRemoteInboundRtpStreamStats`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutboundRtpStats {
    /// `ssrc`.
    pub ssrc: u32,
    /// `kind`.
    pub kind: MediaKind,
    /// `mid`; `None` if it is not known.
    pub mid: Option<String>,
    /// `mimeType` of the codec; `None` if it is not known.
    pub codec: Option<String>,
    /// `packetsSent`.
    pub packets_sent: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `retransmittedPacketsSent`.
    pub retransmitted_packets_sent: u64,
    /// `nackCount`: the number of NACKs that this side has received; `None` if it is not known.
    pub nack_count: Option<u64>,
    /// `pliCount`: the number of PLIs that this side has received; `None` if it is not known.
    pub pli_count: Option<u64>,
    /// `packetsLost` of the remote side's report; `None` if there is no report.
    pub remote_packets_lost: Option<i64>,
    /// `roundTripTime` of the remote side's report; `None` if there is no report.
    pub round_trip_time: Option<Duration>,
}

impl OutboundRtpStats {
    /// Creates the statistics of a stream of which nothing was sent.
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
