//! Connections of many shapes, and readers that fail where the real ones do.

mod internals;
mod rtcstats;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::candidate::{Candidate, CandidateType, Protocol, Side};
use crate::id::PeerId;
use crate::monitor::{
    ChannelInfo, ConnectionInfo, DescriptionInfo, EndInfo, OperationCounts, SampleInfo, TaskCounts,
    TimelineEvent, TrackInfo,
};
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, DataChannelState, DtlsTransportState, IceConnectionState, IceGatheringState,
    SdpType, SignalingState,
};
use crate::stats::{
    CandidatePairStats, CandidateStats, CheckStats, DataChannelStats, InboundRtpStats, MediaKind,
    OutboundRtpStats, StatsReport, TransportStats,
};

/// Texts that readers have been broken by.
const TEXTS: &[&str] = &[
    "chat",
    "",
    "a-b-c",
    "say \"hi\"\\",
    "two\nlines\r\n\u{0}\u{2028}",
    "[x]-y",
    "größe 😀",
    "x, sdp: y",
    "{\"type\":\"offer\"}",
    "__proto__",
];

fn ms(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + ms)
}

/// One of which nothing is known.
fn bare(number: u64, id: &str) -> ConnectionInfo {
    ConnectionInfo {
        number,
        id: PeerId::new(id).expect("an id"),
        group: None,
        created_at: ms(number),
        updated_at: ms(number + 60_000),
        age: Duration::from_secs(60),
        idle: Duration::ZERO,
        state: ConnectionState::New,
        ice_state: IceConnectionState::New,
        gathering_state: IceGatheringState::New,
        signaling_state: SignalingState::Stable,
        connected_at: None,
        timeline: Vec::new(),
        timeline_dropped: 0,
        descriptions: Vec::new(),
        local_candidates: Vec::new(),
        remote_candidates: Vec::new(),
        candidates_dropped: 0,
        selected_pair: None,
        ice_servers: Vec::new(),
        relay_only: false,
        tracks: Vec::new(),
        data_channels: Vec::new(),
        errors: Vec::new(),
        operations: OperationCounts::default(),
        active_operations: Vec::new(),
        tasks: TaskCounts::default(),
        pending_tasks: Vec::new(),
        stats: None,
        samples: Vec::new(),
        quality: None,
        failed_closes: 0,
        end: None,
        diagnosis: None,
        released: None,
        retained_by: Vec::new(),
    }
}

fn host(address: &str) -> Candidate {
    Candidate::new(CandidateType::Host, Protocol::Udp, address, 5000)
}

/// One that lived a full life, with a text wherever there is one.
fn full(number: u64, text: &str) -> ConnectionInfo {
    let name: Box<str> = text.into();
    let mut info = bare(number, if text.is_empty() { "-" } else { text });
    let timeline = [
        TimelineEvent::Opened,
        TimelineEvent::NegotiationNeeded,
        TimelineEvent::SignalingState(SignalingState::HaveLocalOffer),
        TimelineEvent::Described { side: Side::Local, kind: SdpType::Offer, ice_restart: false },
        TimelineEvent::Described { side: Side::Remote, kind: SdpType::Answer, ice_restart: false },
        TimelineEvent::IceGatheringState(IceGatheringState::Complete),
        TimelineEvent::Candidate { side: Side::Local, candidate: Box::new(host("192.0.2.1")) },
        TimelineEvent::Candidate { side: Side::Remote, candidate: Box::new(host("192.0.2.2")) },
        TimelineEvent::Candidate {
            side: Side::Remote,
            candidate: Box::new(host("1.1.1.1").redacted()),
        },
        TimelineEvent::Candidate { side: Side::Remote, candidate: Box::new(host(text)) },
        TimelineEvent::CandidateFailed { code: 701, message: format!("stun:s: {text}").into() },
        TimelineEvent::CandidateFailed { code: 701, message: name.clone() },
        TimelineEvent::IceConnectionState(IceConnectionState::Connected),
        TimelineEvent::ConnectionState(ConnectionState::Connected),
        TimelineEvent::ChannelAdded { id: 1, label: name.clone() },
        TimelineEvent::ChannelAdded { id: 2, label: name.clone() },
        TimelineEvent::ChannelAdded { id: 3, label: name.clone() },
        TimelineEvent::TrackAdded { id: name.clone() },
        TimelineEvent::TrackRemoved { id: name.clone() },
        TimelineEvent::TrackAdded { id: "nobody's".into() },
        TimelineEvent::SelectedPair,
        TimelineEvent::DtlsAlert { side: Side::Remote, description: 42 },
        TimelineEvent::Error(name.clone()),
        TimelineEvent::NotClosed(name.clone()),
        TimelineEvent::CloseStarted(CloseReason::Requested),
        TimelineEvent::Closed(CloseReason::Requested),
        TimelineEvent::Released,
    ];
    info.timeline = (0..).zip(timeline).map(|(index, it)| (ms(number + index * 10), it)).collect();
    let description = |at, side, kind| DescriptionInfo {
        at: ms(number + at),
        side,
        kind,
        ice_restart: false,
        sdp: Some(format!("v=0\r\ns={text}\r\nm=audio 9 RTP 0\r\na=ice-pwd:[redacted]\r\n").into()),
        bytes: 30,
    };
    info.descriptions = vec![
        description(30, Side::Local, SdpType::Offer),
        DescriptionInfo { sdp: None, ..description(40, Side::Remote, SdpType::Answer) },
        // The timeline has lost it.
        description(5, Side::Remote, SdpType::Rollback),
    ];
    let track = |side, added| TrackInfo {
        id: name.clone(),
        kind: (added % 20 == 0).then_some(MediaKind::Audio),
        side,
        added_at: ms(number + added),
        removed_at: Some(ms(number + 180)),
    };
    info.tracks = vec![track(Side::Local, 170), track(Side::Remote, 20)];
    let channel = |id, side| ChannelInfo {
        id,
        label: name.clone(),
        side,
        state: Some(DataChannelState::Closed),
        messages_sent: 1,
        messages_received: 2,
        bytes_sent: 3,
        bytes_received: 4,
    };
    info.data_channels = vec![channel(1, Some(Side::Local)), channel(2, Some(Side::Remote))];
    info.local_candidates = vec![host("192.0.2.1")];
    info.remote_candidates = vec![host("192.0.2.2")];
    info.ice_servers = vec!["stun:stun.example:3478".into(), "turn:u:hunter2@turn.example".into()];
    info.relay_only = number.is_multiple_of(2);
    info.end = Some(EndInfo {
        at: ms(number + 250),
        reason: CloseReason::Requested,
        mode: None,
        took: Duration::ZERO,
    });
    info
}

/// A sample; its round trip and jitter are in milliseconds.
fn sample(at: u64, bytes: u64, rtt: Option<u64>, jitter: Option<u64>) -> SampleInfo {
    SampleInfo {
        at: ms(at),
        bytes_sent: bytes,
        bytes_received: bytes * 2,
        packets_sent: bytes / 100,
        packets_received: bytes / 50,
        packets_lost: -1,
        round_trip_time: rtt.map(Duration::from_millis),
        jitter: jitter.map(Duration::from_millis),
        quality: jitter.map(|it| if it == 7 { f32::NAN } else { 4.3 }),
    }
}

fn sample_shapes() -> Vec<Vec<SampleInfo>> {
    vec![
        vec![],
        vec![sample(5_000, 100, Some(20), None)],
        vec![sample(5_000, 0, None, None)],
        vec![
            sample(5_000, 100, None, None),
            sample(10_000, 200, Some(20), Some(7)),
            sample(15_000, 200, None, None),
            sample(20_000, 0, Some(0), Some(0)),
            sample(20_000, 300, Some(30), Some(3)),
        ],
        // The clock of the host was not set.
        vec![SampleInfo { at: UNIX_EPOCH, ..sample(0, 1, None, None) }, sample(9, 2, None, None)],
        vec![sample(9_000, 5, Some(1), None), sample(3_000, 4, Some(1), None)],
    ]
}

fn report_shapes(text: &str) -> Vec<Option<StatsReport>> {
    let empty = StatsReport::new(Instant::now());
    let mut torn = empty.clone();
    torn.transport = Some(TransportStats::new(DtlsTransportState::New));
    if let Some(transport) = &mut torn.transport {
        transport.selected_pair = Some(0);
    }
    torn.candidate_pairs = vec![CandidatePairStats::new(Some(7), None)];
    let mut nominated = CandidatePairStats::new(Some(0), Some(1));
    nominated.nominated = true;
    nominated.current_round_trip_time = Some(Duration::from_millis(30));
    nominated.checks = Some(CheckStats::default());
    let mut full = empty.clone();
    full.transport = Some(TransportStats {
        tls_version: Some("FEFD".into()),
        selected_pair: Some(9),
        ..TransportStats::new(DtlsTransportState::Connected)
    });
    full.candidate_pairs = vec![CandidatePairStats::new(None, None), nominated];
    full.candidates = vec![
        CandidateStats::new(Side::Local, host("192.0.2.1")),
        CandidateStats::new(Side::Remote, host("203.0.113.77").redacted()),
    ];
    let mut channel = DataChannelStats::new(1, text);
    channel.stream = Some(0);
    full.data_channels = vec![channel, DataChannelStats::new(9, "raw")];
    let mut heard = InboundRtpStats::new(1, MediaKind::Audio);
    heard.codec = Some(text.into());
    full.inbound_rtp = vec![heard.clone(), heard];
    let mut told = OutboundRtpStats::new(1, MediaKind::Video);
    told.remote_packets_lost = Some(-3);
    full.outbound_rtp = vec![OutboundRtpStats::new(1, MediaKind::Video), told];
    vec![None, Some(empty), Some(torn), Some(full)]
}

/// Every shape, each with its own number.
fn shapes() -> Vec<ConnectionInfo> {
    let mut shapes = vec![bare(0, "bare"), bare(u64::MAX >> 24, "late")];
    for text in TEXTS {
        for samples in sample_shapes() {
            for stats in report_shapes(text) {
                let samples = samples.clone();
                let number = shapes.len() as u64;
                shapes.push(ConnectionInfo { samples, stats, ..full(number, text) });
            }
        }
    }
    shapes
}

/// Those that are looked at closely.
fn typical() -> ConnectionInfo {
    let samples = sample_shapes().swap_remove(3);
    let stats = report_shapes("opus").swap_remove(3);
    ConnectionInfo { samples, stats, ..full(7, "alice") }
}

#[test]
fn numbers_are_kept_where_they_can_be() {
    let numbers = |all: &[u64]| {
        let all: Vec<_> = all.iter().map(|number| bare(*number, "x")).collect();
        super::number::numbered(&all).into_keys().collect::<Vec<_>>()
    };
    assert_eq!(numbers(&[2, 1]), [1, 2]);
    assert_eq!(numbers(&[1, 1, 2, 1]), [1, 2, 3, 4]);
    assert_eq!(numbers(&[5, 5, 0, 0]), [0, 1, 2, 5]);
}

#[test]
fn nothing_that_is_secret_or_hidden_gets_out() {
    for shape in shapes() {
        let one = std::slice::from_ref(&shape);
        for text in [super::internals(one), super::rtcstats(one)] {
            for secret in ["hunter2", "credential", "203.0.113.77", "1.1.1.1", "NaN"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
}

#[test]
fn the_same_connections_make_the_same_text() {
    let shapes = shapes();
    assert_eq!(super::internals(&shapes), super::internals(&shapes.clone()));
    assert_eq!(super::rtcstats(&shapes), super::rtcstats(&shapes.clone()));
}
