//! A connection.

use serde::Serialize;

use super::event::EventJson;
use super::time::{seconds, unix};
use crate::candidate::{Candidate, Side};
use crate::id::GroupId;
use crate::monitor::{ChannelInfo, ConnectionInfo, Diagnosis, SampleInfo};
use crate::peer::CloseMode;
use crate::state::DataChannelState;
use crate::stats::{MediaKind, StatsReport};

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct ConnectionJson<'a> {
    connection_id: &'a str,
    created_at: f64,
    updated_at: f64,
    ice_state: &'static str,
    connection_state: &'static str,
    signaling_state: &'static str,
    gathering_state: &'static str,
    tracks: Vec<&'a str>,
    data_channels: Vec<String>,
    errors: Vec<ErrorJson<'a>>,
    async_tasks: Vec<String>,
    lifecycle_events: Vec<EventJson>,
    lifecycle_events_dropped: u64,
    number: u64,
    group: Option<&'a str>,
    connected_at: Option<f64>,
    age: f64,
    idle: f64,
    local_candidates: Vec<CandidateJson<'a>>,
    remote_candidates: Vec<CandidateJson<'a>>,
    candidates_dropped: u64,
    selected_pair: Option<PairJson<'a>>,
    ice_servers: &'a [Box<str>],
    relay_only: bool,
    descriptions: Vec<DescriptionJson<'a>>,
    track_details: Vec<TrackJson<'a>>,
    channel_details: Vec<ChannelJson<'a>>,
    operations: CountsJson,
    active_operations: Vec<String>,
    stats: Option<StatsJson<'a>>,
    samples: Vec<SampleJson>,
    quality: Option<f32>,
    failed_closes: u64,
    close: Option<EndJson>,
    diagnosis: Option<DiagnosisJson<'a>>,
    released: Option<bool>,
    held_by: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct ErrorJson<'a> {
    timestamp: f64,
    error: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct CandidateJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    protocol: &'static str,
    address: Option<&'a str>,
    port: u16,
    priority: u32,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct PairJson<'a> {
    since: f64,
    local: Option<CandidateJson<'a>>,
    remote: Option<CandidateJson<'a>>,
    changes: u32,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct DescriptionJson<'a> {
    timestamp: f64,
    side: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    ice_restart: bool,
    bytes: usize,
    sdp: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct TrackJson<'a> {
    track_id: &'a str,
    kind: Option<&'static str>,
    side: &'static str,
    added_at: f64,
    removed_at: Option<f64>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct ChannelJson<'a> {
    channel_id: u64,
    label: &'a str,
    side: Option<&'static str>,
    state: Option<&'static str>,
    messages_sent: u64,
    messages_received: u64,
    bytes_sent: u64,
    bytes_received: u64,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct CountsJson {
    started: u64,
    completed: u64,
    failed: u64,
    canceled: u64,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct StatsJson<'a> {
    dtls_state: Option<&'static str>,
    tls_version: Option<&'a str>,
    dtls_cipher: Option<&'a str>,
    srtp_cipher: Option<&'a str>,
    bytes_sent: Option<u64>,
    bytes_received: Option<u64>,
    packets_sent: Option<u64>,
    packets_received: Option<u64>,
    round_trip_time: Option<f64>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct SampleJson {
    timestamp: f64,
    bytes_sent: u64,
    bytes_received: u64,
    packets_sent: u64,
    packets_received: u64,
    packets_lost: i64,
    round_trip_time: Option<f64>,
    jitter: Option<f64>,
    quality: Option<f32>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct EndJson {
    timestamp: f64,
    reason: &'static str,
    /// `graceful` or `forced`; null if it could not be observed.
    closure: Option<&'static str>,
    cause: Option<String>,
    duration: f64,
}

#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct DiagnosisJson<'a> {
    cause: &'static str,
    stage: &'static str,
    confidence: f32,
    evidence: &'a [String],
    advice: &'static str,
}

impl<'a> ConnectionJson<'a> {
    pub(crate) fn new(info: &'a ConnectionInfo) -> Self {
        let candidates = |of: &'a [Candidate]| of.iter().map(CandidateJson::new).collect();
        let events = info.timeline.iter().map(|(at, event)| EventJson::new(*at, event));
        Self {
            connection_id: info.id.as_str(),
            created_at: unix(info.created_at),
            updated_at: unix(info.updated_at),
            ice_state: info.ice_state.as_str(),
            connection_state: info.state.as_str(),
            signaling_state: info.signaling_state.as_str(),
            gathering_state: info.gathering_state.as_str(),
            tracks: info
                .tracks
                .iter()
                .filter(|track| track.removed_at.is_none())
                .map(|track| &*track.id)
                .collect(),
            data_channels: info.data_channels.iter().map(|it| it.id.to_string()).collect(),
            errors: info
                .errors
                .iter()
                .map(|(at, error)| ErrorJson { timestamp: unix(*at), error })
                .collect(),
            async_tasks: info.pending_tasks.iter().map(|task| task.id.to_string()).collect(),
            lifecycle_events: events.collect(),
            lifecycle_events_dropped: info.timeline_dropped,
            number: info.number,
            group: info.group.as_ref().map(GroupId::as_str),
            connected_at: info.connected_at.map(unix),
            age: seconds(info.age),
            idle: seconds(info.idle),
            local_candidates: candidates(&info.local_candidates),
            remote_candidates: candidates(&info.remote_candidates),
            candidates_dropped: info.candidates_dropped,
            selected_pair: info.selected_pair.as_ref().map(|pair| PairJson {
                since: unix(pair.since),
                local: pair.local.as_ref().map(CandidateJson::new),
                remote: pair.remote.as_ref().map(CandidateJson::new),
                changes: pair.changes,
            }),
            ice_servers: &info.ice_servers,
            relay_only: info.relay_only,
            descriptions: info
                .descriptions
                .iter()
                .map(|it| DescriptionJson {
                    timestamp: unix(it.at),
                    side: it.side.as_str(),
                    kind: it.kind.as_str(),
                    ice_restart: it.ice_restart,
                    bytes: it.bytes,
                    sdp: it.sdp.as_deref(),
                })
                .collect(),
            track_details: info
                .tracks
                .iter()
                .map(|it| TrackJson {
                    track_id: &it.id,
                    kind: it.kind.map(MediaKind::as_str),
                    side: it.side.as_str(),
                    added_at: unix(it.added_at),
                    removed_at: it.removed_at.map(unix),
                })
                .collect(),
            channel_details: info.data_channels.iter().map(ChannelJson::new).collect(),
            operations: CountsJson {
                started: info.operations.started,
                completed: info.operations.completed,
                failed: info.operations.failed,
                canceled: info.operations.cancelled,
            },
            active_operations: info.active_operations.iter().map(ToString::to_string).collect(),
            stats: info.stats.as_ref().map(StatsJson::new),
            samples: info.samples.iter().map(SampleJson::new).collect(),
            quality: info.quality,
            failed_closes: info.failed_closes,
            close: info.end.as_ref().map(|end| EndJson {
                timestamp: unix(end.at),
                reason: end.reason.as_str(),
                closure: end.mode.as_ref().map(|mode| match mode {
                    CloseMode::Graceful => "graceful",
                    CloseMode::Forced(_) => "forced",
                }),
                cause: end.mode.as_ref().and_then(|mode| match mode {
                    CloseMode::Graceful => None,
                    CloseMode::Forced(cause) => Some(cause.to_string()),
                }),
                duration: seconds(end.took),
            }),
            diagnosis: info.diagnosis.as_ref().map(DiagnosisJson::new),
            released: info.released,
            held_by: info.retained_by.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> CandidateJson<'a> {
    fn new(candidate: &'a Candidate) -> Self {
        Self {
            kind: candidate.kind.as_str(),
            protocol: candidate.protocol.as_str(),
            address: candidate.address.as_deref(),
            port: candidate.port,
            priority: candidate.priority,
        }
    }
}

impl<'a> ChannelJson<'a> {
    fn new(channel: &'a ChannelInfo) -> Self {
        Self {
            channel_id: channel.id,
            label: &channel.label,
            side: channel.side.map(Side::as_str),
            state: channel.state.map(DataChannelState::as_str),
            messages_sent: channel.messages_sent,
            messages_received: channel.messages_received,
            bytes_sent: channel.bytes_sent,
            bytes_received: channel.bytes_received,
        }
    }
}

impl SampleJson {
    pub(crate) fn new(sample: &SampleInfo) -> Self {
        Self {
            timestamp: unix(sample.at),
            bytes_sent: sample.bytes_sent,
            bytes_received: sample.bytes_received,
            packets_sent: sample.packets_sent,
            packets_received: sample.packets_received,
            packets_lost: sample.packets_lost,
            round_trip_time: sample.round_trip_time.map(seconds),
            jitter: sample.jitter.map(seconds),
            quality: sample.quality,
        }
    }
}

impl<'a> StatsJson<'a> {
    pub(crate) fn new(report: &'a StatsReport) -> Self {
        let transport = report.transport.as_ref();
        let time = report.selected_pair().and_then(|pair| pair.current_round_trip_time);
        Self {
            dtls_state: transport.map(|it| it.dtls_state.as_str()),
            tls_version: transport.and_then(|it| it.tls_version.as_deref()),
            dtls_cipher: transport.and_then(|it| it.dtls_cipher.as_deref()),
            srtp_cipher: transport.and_then(|it| it.srtp_cipher.as_deref()),
            bytes_sent: transport.map(|it| it.bytes_sent),
            bytes_received: transport.map(|it| it.bytes_received),
            packets_sent: transport.map(|it| it.packets_sent),
            packets_received: transport.map(|it| it.packets_received),
            round_trip_time: time.map(seconds),
        }
    }
}

impl<'a> DiagnosisJson<'a> {
    pub(crate) fn new(diagnosis: &'a Diagnosis) -> Self {
        Self {
            cause: diagnosis.cause.as_str(),
            stage: diagnosis.stage.as_str(),
            confidence: diagnosis.confidence,
            evidence: &diagnosis.evidence,
            advice: diagnosis.advice,
        }
    }
}
