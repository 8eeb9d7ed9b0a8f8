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

/// Everything that is known of a connection. Times are Unix seconds, and durations are seconds.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct ConnectionJson<'a> {
    connection_id: &'a str,
    /// When the connection was opened.
    created_at: f64,
    /// When the record of the connection was last updated.
    updated_at: f64,
    ice_state: &'static str,
    connection_state: &'static str,
    signaling_state: &'static str,
    gathering_state: &'static str,
    /// The ids of the tracks that have not been removed.
    tracks: Vec<&'a str>,
    /// The numbers of the data channels.
    data_channels: Vec<String>,
    /// The last errors, the oldest first.
    errors: Vec<ErrorJson<'a>>,
    /// The ids of the recorded tasks that have not ended.
    async_tasks: Vec<String>,
    /// The timeline, the oldest event first.
    lifecycle_events: Vec<EventJson>,
    /// The number of older events that are no longer kept.
    lifecycle_events_dropped: u64,
    /// The number of the connection in the order of opening, which is never used again.
    number: u64,
    group: Option<&'a str>,
    /// When the connection was first connected; null if it never was.
    connected_at: Option<f64>,
    /// The time since the connection was opened, or from its opening to its end.
    age: f64,
    /// The time since the connection last sent or received something, according to its samples.
    idle: f64,
    local_candidates: Vec<CandidateJson<'a>>,
    remote_candidates: Vec<CandidateJson<'a>>,
    /// The number of further candidates that are not kept.
    candidates_dropped: u64,
    /// The selected candidate pair; null if there is none.
    selected_pair: Option<PairJson<'a>>,
    /// The URLs of the STUN and TURN servers.
    ice_servers: &'a [Box<str>],
    /// Whether only relayed candidates may be used.
    relay_only: bool,
    /// The last session descriptions, the oldest first.
    descriptions: Vec<DescriptionJson<'a>>,
    track_details: Vec<TrackJson<'a>>,
    channel_details: Vec<ChannelJson<'a>>,
    /// The numbers of calls on the connection and of its closes, by status.
    operations: CountsJson,
    /// The ids of the operations in progress.
    active_operations: Vec<String>,
    /// The statistics of the transport in the last report; null if there was none.
    stats: Option<StatsJson<'a>>,
    /// The last samples, the oldest first.
    samples: Vec<SampleJson>,
    /// The mean opinion score of received media, from 1 (bad) to 4.5 (best).
    quality: Option<f32>,
    /// The number of closes that did not end the connection.
    failed_closes: u64,
    /// How the connection ended; null if it has not ended.
    close: Option<EndJson>,
    /// Why the connection failed or never connected; null if nothing is wrong.
    diagnosis: Option<DiagnosisJson<'a>>,
    /// Whether all memory of a connection that has ended is free; null if that is not known.
    released: Option<bool>,
    /// What the application still holds of a connection that has ended, as text.
    held_by: Vec<String>,
}

/// An error.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct ErrorJson<'a> {
    timestamp: f64,
    error: &'a str,
}

/// A candidate.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct CandidateJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    protocol: &'static str,
    /// The address; null if addresses are not kept.
    address: Option<&'a str>,
    port: u16,
    priority: u32,
}

/// The selected candidate pair.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct PairJson<'a> {
    /// When the pair was first seen in use.
    since: f64,
    local: Option<CandidateJson<'a>>,
    remote: Option<CandidateJson<'a>>,
    /// The value of `selectedCandidatePairChanges` of W3C webrtc-stats.
    changes: u32,
}

/// A session description that was set.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct DescriptionJson<'a> {
    timestamp: f64,
    side: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whether the description restarts ICE.
    ice_restart: bool,
    /// The length of the description, in bytes.
    bytes: usize,
    /// The description without its secrets; null if it was too long to be kept.
    sdp: Option<&'a str>,
}

/// A track.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct TrackJson<'a> {
    track_id: &'a str,
    kind: Option<&'static str>,
    /// The side that sends the track.
    side: &'static str,
    added_at: f64,
    removed_at: Option<f64>,
}

/// A data channel, as of the last sample.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct ChannelJson<'a> {
    /// The number of the channel in its connection.
    channel_id: u64,
    label: &'a str,
    side: Option<&'static str>,
    state: Option<&'static str>,
    messages_sent: u64,
    messages_received: u64,
    bytes_sent: u64,
    bytes_received: u64,
}

/// The numbers of operations, by status.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct CountsJson {
    started: u64,
    completed: u64,
    failed: u64,
    canceled: u64,
}

/// The statistics of a transport.
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
    /// The round-trip time of the selected pair, in seconds.
    round_trip_time: Option<f64>,
}

/// A sample of a connection's statistics. Bytes and packets are totals.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct SampleJson {
    timestamp: f64,
    bytes_sent: u64,
    bytes_received: u64,
    packets_sent: u64,
    packets_received: u64,
    /// The packets of received media that were lost.
    packets_lost: i64,
    /// The round-trip time of the selected pair, in seconds.
    round_trip_time: Option<f64>,
    /// The greatest jitter of the received streams, in seconds.
    jitter: Option<f64>,
    /// The mean opinion score of received media, from 1 (bad) to 4.5 (best).
    quality: Option<f32>,
}

/// The end of a connection.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct EndJson {
    timestamp: f64,
    /// Why the connection was closed.
    reason: &'static str,
    /// `graceful` or `forced`; null if it could not be observed.
    closure: Option<&'static str>,
    /// Why the close was forced, as text; null if it was not.
    cause: Option<String>,
    /// The duration of the close, in seconds.
    duration: f64,
}

/// A diagnosis: why a connection failed or never connected.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct DiagnosisJson<'a> {
    /// The root cause.
    cause: &'static str,
    /// The stage that the connection had reached.
    stage: &'static str,
    /// How certain the cause is, from 0 to 1.
    confidence: f32,
    /// The facts that the cause was inferred from.
    evidence: &'a [String],
    /// What to check next.
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
