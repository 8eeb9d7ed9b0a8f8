//! Converts the statistics of `webrtc` to the terms and units of W3C.
//!
//! This module corrects three defects of `webrtc` 0.21.1: its jitter is in RTP ticks, its
//! candidates are not found by the ids that pairs name, and its remote candidates are missing.
//!
//! Some values are not known, and are `None`: the state of pairs that are not checked, what the
//! remote side reports of streams, received NACKs and PLIs, bitrates, and frames. Connectivity
//! checks are only counted for the nominated pair.

use std::time::{Duration, Instant};

use ::webrtc::peer_connection::{PeerConnection, StatsSelector};
use rtc::statistics::report::RTCStatsReportEntry;
use rtc::statistics::stats::RTCStatsId;
use rtc::statistics::stats::ice_candidate::RTCIceCandidateStats;
use rtc::statistics::stats::ice_candidate_pair::{
    RTCIceCandidatePairStats, RTCStatsIceCandidatePairState,
};
use rtc::statistics::stats::rtp_stream::received::inbound::RTCInboundRtpStreamStats;
use rtc::statistics::stats::rtp_stream::sent::outbound::RTCOutboundRtpStreamStats;

use super::convert;
use super::transport::transport;
use crate::candidate::{Candidate, Side};
use crate::stats::{
    CandidatePairState, CandidatePairStats, CandidateStats, CheckStats, DataChannelStats,
    InboundRtpStats, OutboundRtpStats, StatsReport, TransportStats,
};
use crate::sync::Mutex;

/// The remote candidates by the ids that pairs name. The statistics of `webrtc` do not contain
/// them.
#[derive(Default)]
pub(super) struct RemoteCandidates(Mutex<Vec<(String, Candidate)>>);

impl RemoteCandidates {
    /// The remote candidate with this id, if it was read before.
    fn get(&self, id: &str) -> Option<Candidate> {
        let known = self.0.lock();
        known.iter().find(|(known, _)| known == id).map(|(_, candidate)| candidate.clone())
    }

    /// Reads the remote candidates from the ICE transport.
    async fn look_up(&self, connection: &dyn PeerConnection) {
        let Some(transport) = transport(connection).await else { return };
        let found = transport.ice_transport().get_remote_candidates().await.unwrap_or_default();
        let found = found.iter().filter_map(|it| Some((it.id.clone(), convert::candidate(it)?)));
        *self.0.lock() = found.collect();
    }
}

/// The prefix of the id of a local candidate. The rest is the id that pairs name.
const LOCAL_PREFIX: &str = "RTCLocalIceCandidate_";

/// The prefix of the id of a data channel. The rest is the number of the channel's handle.
const CHANNEL_PREFIX: &str = "RTCDataChannel_";

/// Reads the statistics of a connection at the instant `now`.
pub(super) async fn read(
    connection: &dyn PeerConnection,
    remotes: &RemoteCandidates,
    now: Instant,
) -> StatsReport {
    let theirs = connection.get_stats(now, StatsSelector::None).await;
    // The entries are collected once, since each iteration over the report looks every entry up in
    // a map.
    let entries: Vec<_> = theirs.iter().collect();
    let mut ours = StatsReport::new(now);
    let mut local_ids: Vec<&str> = Vec::new();
    for &entry in &entries {
        if let RTCStatsReportEntry::LocalCandidate(local) = entry
            && let Some(candidate) = candidate(local)
        {
            local_ids.push(local.stats.id.strip_prefix(LOCAL_PREFIX).unwrap_or(&local.stats.id));
            ours.candidates.push(CandidateStats::new(Side::Local, candidate));
        }
    }
    let locals = local_ids.len();
    let mut pair_ids: Vec<&RTCStatsId> = Vec::new();
    for &entry in &entries {
        let RTCStatsReportEntry::IceCandidatePair(pair) = entry else { continue };
        let local = local_ids.iter().position(|id| *id == pair.local_candidate_id);
        let remote_id = &pair.remote_candidate_id;
        let mut remote = remotes.get(remote_id);
        if remote.is_none() {
            remotes.look_up(connection).await;
            remote = remotes.get(remote_id);
        }
        let remote = remote.map(|candidate| remote_index(&mut ours, locals, candidate));
        pair_ids.push(&pair.stats.id);
        ours.candidate_pairs.push(candidate_pair(pair, local, remote));
    }
    for &entry in &entries {
        match entry {
            RTCStatsReportEntry::Transport(theirs) => {
                let mut transport = TransportStats::new(convert::dtls_state(theirs.dtls_state));
                transport.packets_sent = theirs.packets_sent;
                transport.packets_received = theirs.packets_received;
                transport.bytes_sent = theirs.bytes_sent;
                transport.bytes_received = theirs.bytes_received;
                transport.tls_version = known(&theirs.tls_version);
                transport.dtls_cipher = known(&theirs.dtls_cipher);
                transport.srtp_cipher = known(&theirs.srtp_cipher);
                transport.selected_pair =
                    pair_ids.iter().position(|id| **id == theirs.selected_candidate_pair_id);
                transport.selected_pair_changes = theirs.selected_candidate_pair_changes;
                ours.transport = Some(transport);
            }
            RTCStatsReportEntry::DataChannel(theirs) => {
                let number = theirs.stats.id.strip_prefix(CHANNEL_PREFIX);
                let Some(id) = number.and_then(|number| number.parse().ok()) else { continue };
                let mut channel = DataChannelStats::new(id, theirs.label.clone());
                channel.stream = Some(theirs.data_channel_identifier);
                channel.protocol.clone_from(&theirs.protocol);
                channel.state = convert::channel_state(theirs.state);
                channel.messages_sent = theirs.messages_sent.into();
                channel.bytes_sent = theirs.bytes_sent;
                channel.messages_received = theirs.messages_received.into();
                channel.bytes_received = theirs.bytes_received;
                ours.data_channels.push(channel);
            }
            RTCStatsReportEntry::InboundRtp(theirs_one) => {
                let codec =
                    codec(&theirs, &theirs_one.received_rtp_stream_stats.rtp_stream_stats.codec_id);
                ours.inbound_rtp.extend(inbound(theirs_one, codec));
            }
            RTCStatsReportEntry::OutboundRtp(theirs_one) => {
                let codec =
                    codec(&theirs, &theirs_one.sent_rtp_stream_stats.rtp_stream_stats.codec_id);
                ours.outbound_rtp.extend(outbound(theirs_one, codec));
            }
            _ => {}
        }
    }
    ours
}

/// The index of a remote candidate in the report, which adds the candidate if it is new. The local
/// candidates come first.
fn remote_index(report: &mut StatsReport, locals: usize, candidate: Candidate) -> usize {
    let known = report.candidates[locals..].iter().position(|known| known.candidate == candidate);
    known.map_or_else(
        || {
            report.candidates.push(CandidateStats::new(Side::Remote, candidate));
            report.candidates.len() - 1
        },
        |index| locals + index,
    )
}

/// A text that is not empty.
fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn candidate(theirs: &RTCIceCandidateStats) -> Option<Candidate> {
    let kind = convert::candidate_type(theirs.candidate_type)?;
    let protocol = convert::protocol(&theirs.protocol)?;
    Some(Candidate::new(kind, protocol, theirs.address.as_deref()?, theirs.port))
}

fn candidate_pair(
    theirs: &RTCIceCandidatePairStats,
    local: Option<usize>,
    remote: Option<usize>,
) -> CandidatePairStats {
    let mut pair = CandidatePairStats::new(local, remote);
    pair.state = match theirs.state {
        RTCStatsIceCandidatePairState::Frozen => Some(CandidatePairState::Frozen),
        RTCStatsIceCandidatePairState::Waiting => Some(CandidatePairState::Waiting),
        RTCStatsIceCandidatePairState::InProgress => Some(CandidatePairState::InProgress),
        RTCStatsIceCandidatePairState::Failed => Some(CandidatePairState::Failed),
        RTCStatsIceCandidatePairState::Succeeded => Some(CandidatePairState::Succeeded),
        _ => None,
    };
    pair.nominated = theirs.nominated;
    pair.packets_sent = theirs.packets_sent;
    pair.packets_received = theirs.packets_received;
    pair.bytes_sent = theirs.bytes_sent;
    pair.bytes_received = theirs.bytes_received;
    pair.current_round_trip_time = seconds(theirs.current_round_trip_time);
    pair.checks = theirs.nominated.then_some(CheckStats {
        requests_sent: theirs.requests_sent,
        requests_received: theirs.requests_received,
        responses_sent: theirs.responses_sent,
        responses_received: theirs.responses_received,
        consent_requests_sent: theirs.consent_requests_sent,
    });
    pair
}

/// Converts a time in seconds; `None` for zero, which means that it was not measured.
fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero())
}

/// The MIME type and the clock rate of a codec.
fn codec<'a>(
    report: &'a ::webrtc::peer_connection::RTCStatsReport,
    id: &str,
) -> Option<(&'a str, u32)> {
    match report.get(id) {
        Some(RTCStatsReportEntry::Codec(codec)) => Some((&codec.mime_type, codec.clock_rate)),
        _ => None,
    }
}

fn inbound(
    theirs: &RTCInboundRtpStreamStats,
    codec: Option<(&str, u32)>,
) -> Option<InboundRtpStats> {
    let received = &theirs.received_rtp_stream_stats;
    let stream = &received.rtp_stream_stats;
    let mut ours = InboundRtpStats::new(stream.ssrc, convert::media_kind(stream.kind)?);
    ours.mid = known(&theirs.mid);
    ours.codec = codec.map(|(mime, _)| mime.to_owned());
    ours.packets_received = received.packets_received;
    ours.packets_lost = received.packets_lost;
    ours.bytes_received = theirs.bytes_received;
    // `webrtc` has the jitter in ticks of the codec's clock (measured), and W3C in seconds.
    ours.jitter = codec.filter(|(_, clock_rate)| *clock_rate > 0).and_then(|(_, clock_rate)| {
        Duration::try_from_secs_f64(received.jitter / f64::from(clock_rate)).ok()
    });
    ours.nack_count = theirs.nack_count.into();
    ours.pli_count = theirs.pli_count.into();
    Some(ours)
}

fn outbound(
    theirs: &RTCOutboundRtpStreamStats,
    codec: Option<(&str, u32)>,
) -> Option<OutboundRtpStats> {
    let sent = &theirs.sent_rtp_stream_stats;
    let stream = &sent.rtp_stream_stats;
    let mut ours = OutboundRtpStats::new(stream.ssrc, convert::media_kind(stream.kind)?);
    ours.mid = known(&theirs.mid);
    ours.codec = codec.map(|(mime, _)| mime.to_owned());
    ours.packets_sent = sent.packets_sent;
    ours.bytes_sent = sent.bytes_sent;
    ours.retransmitted_packets_sent = theirs.retransmitted_packets_sent;
    Some(ours)
}
