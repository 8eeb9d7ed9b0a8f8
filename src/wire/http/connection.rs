//! Connections: summaries, details, and pages.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::GroupId;
use crate::monitor::{Cause, ConnectionInfo, ConnectionRow};
use crate::peer::CloseReason;
use crate::wire::json::{ConnectionJson, DiagnosisJson, SampleJson, StatsJson, unix};
use crate::wire::w3c::Scalar;

/// A summary of a connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowJson {
    connection_id: String,
    /// The number of the connection in the order of opening, which is never used again.
    number: u64,
    group: Option<String>,
    connection_state: &'static str,
    ice_state: &'static str,
    /// When the connection was opened, in Unix seconds.
    created_at: f64,
    /// When the connection was first connected, in Unix seconds; null if it never was.
    connected_at: Option<f64>,
    /// When the connection ended, in Unix seconds; null if it has not ended.
    ended_at: Option<f64>,
    /// The time since the connection was opened, or from its opening to its end, in seconds.
    age: f64,
    /// The round-trip time in the last sample, in seconds.
    round_trip_time: Option<f64>,
    /// The bits received per second between the last two samples.
    bitrate_in: Option<f64>,
    /// The bits sent per second between the last two samples.
    bitrate_out: Option<f64>,
    /// The share of received media packets that were lost between the last two samples, from 0 to
    /// 1.
    loss: Option<f64>,
    /// The mean opinion score of received media, from 1 (bad) to 4.5 (best).
    quality: Option<f32>,
    /// The number of tracks that have not been removed.
    tracks: usize,
    /// The number of data channels that are not closed.
    data_channels: usize,
    /// The number of recorded tasks that have not ended.
    tasks: u64,
    /// The number of errors that are kept.
    errors: usize,
    /// Why the connection ended; null if it has not ended.
    close_reason: Option<&'static str>,
    /// The root cause of the diagnosis; null if nothing is wrong.
    cause: Option<&'static str>,
    /// Whether the application still holds a connection that has ended; null if that is not known.
    held: Option<bool>,
}

impl RowJson {
    pub(crate) fn new(row: &ConnectionRow) -> Self {
        Self {
            connection_id: row.id.to_string(),
            number: row.number,
            group: row.group.as_ref().map(GroupId::to_string),
            connection_state: row.state.as_str(),
            ice_state: row.ice_state.as_str(),
            created_at: unix(row.created_at),
            connected_at: row.connected_at.map(unix),
            ended_at: row.ended_at.map(unix),
            age: row.age.as_secs_f64(),
            round_trip_time: row.round_trip_time.map(|time| time.as_secs_f64()),
            bitrate_in: row.bitrate_in,
            bitrate_out: row.bitrate_out,
            loss: row.loss,
            quality: row.quality,
            tracks: row.tracks,
            data_channels: row.data_channels,
            tasks: row.tasks,
            errors: row.errors,
            close_reason: row.close_reason.map(CloseReason::as_str),
            cause: row.cause.map(Cause::as_str),
            held: row.held,
        }
    }
}

/// A connection in a list: all details or a summary, as requested by `view`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListedJson<'a> {
    Full(Box<ConnectionJson<'a>>),
    Row(Box<RowJson>),
}

/// `GET /webrtc/monitor/connections`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionsJson<'a> {
    /// Keyed by connection id.
    connections: BTreeMap<String, ListedJson<'a>>,
    count: usize,
    /// The number of live connections on all pages.
    total: u64,
    /// Cursor for the next page; null on the last one.
    next: Option<String>,
    timestamp: f64,
}

/// `GET /webrtc/monitor/closed`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClosedJson<'a> {
    /// The latest first. An id may be listed more than once.
    connections: Vec<ListedJson<'a>>,
    count: usize,
    /// The number of connections that have ended since the start.
    total: u64,
    /// Cursor for the next page; null on the last one.
    next: Option<String>,
    timestamp: f64,
}

/// Writes a [`ConnectionsJson`] or a [`ClosedJson`], one connection at a time.
pub(crate) struct ListWriter {
    text: Vec<u8>,
    /// Whether the connections are an object keyed by id, or an array.
    keyed: bool,
    count: usize,
}

impl ListWriter {
    /// Begins an object keyed by id if `keyed`, otherwise an array.
    pub(crate) fn new(keyed: bool) -> Self {
        let mut text = br#"{"connections":"#.to_vec();
        text.push(if keyed { b'{' } else { b'[' });
        Self { text, keyed, count: 0 }
    }

    /// Adds a connection. One that cannot be serialised is left out.
    pub(crate) fn add(&mut self, id: &str, listed: &ListedJson<'_>) {
        let before = self.text.len();
        if self.count > 0 {
            self.text.push(b',');
        }
        let key = if self.keyed { serde_json::to_writer(&mut self.text, id) } else { Ok(()) };
        if self.keyed {
            self.text.push(b':');
        }
        match key.and_then(|()| serde_json::to_writer(&mut self.text, listed)) {
            Ok(()) => self.count += 1,
            Err(_) => self.text.truncate(before),
        }
    }

    /// Adds the other keys, and returns the text.
    pub(crate) fn finish(mut self, total: u64, next: Option<u64>, at: SystemTime) -> Vec<u8> {
        #[derive(Serialize)]
        struct Rest {
            count: usize,
            total: u64,
            next: Option<String>,
            timestamp: f64,
        }
        self.text.extend_from_slice(if self.keyed { b"}," } else { b"]," });
        let next = next.map(|next| next.to_string());
        let rest = Rest { count: self.count, total, next, timestamp: unix(at) };
        let rest = serde_json::to_vec(&rest).unwrap_or_default();
        self.text.extend_from_slice(rest.get(1..).unwrap_or_default());
        self.text
    }
}

/// `GET /webrtc/monitor/connections/{id}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneConnectionJson<'a> {
    pub(crate) connection: ConnectionJson<'a>,
    pub(crate) timestamp: f64,
}

/// `GET /webrtc/monitor/connections/{id}/stats`: the objects of W3C webrtc-stats.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionStatsJson<'a> {
    connection_id: &'a str,
    /// Keyed by the ids of the statistics objects, with the names and units of W3C webrtc-stats.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, serde_json::Value>>)]
    stats: BTreeMap<String, BTreeMap<&'static str, Scalar>>,
    /// The statistics of the transport in the last report; null if there was none.
    current: Option<StatsJson<'a>>,
    /// The last samples, the oldest first.
    samples: Vec<SampleJson>,
    timestamp: f64,
}

impl<'a> ConnectionStatsJson<'a> {
    pub(crate) fn new(
        info: &'a ConnectionInfo,
        stats: BTreeMap<String, BTreeMap<&'static str, Scalar>>,
        at: SystemTime,
    ) -> Self {
        Self {
            connection_id: info.id.as_str(),
            stats,
            current: info.stats.as_ref().map(StatsJson::new),
            samples: info.samples.iter().map(SampleJson::new).collect(),
            timestamp: unix(at),
        }
    }
}

/// `GET /webrtc/monitor/connections/{id}/diagnosis`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionDiagnosisJson<'a> {
    connection_id: &'a str,
    /// Null if nothing is wrong.
    diagnosis: Option<DiagnosisJson<'a>>,
    timestamp: f64,
}

impl<'a> ConnectionDiagnosisJson<'a> {
    pub(crate) fn new(info: &'a ConnectionInfo, at: SystemTime) -> Self {
        Self {
            connection_id: info.id.as_str(),
            diagnosis: info.diagnosis.as_ref().map(DiagnosisJson::new),
            timestamp: unix(at),
        }
    }
}
