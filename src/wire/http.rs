//! What is said over HTTP, beside what [`json`](super::json) has: with the keys of the Python
//! original where it has them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::json::{ConnectionJson, DiagnosisJson, OperationJson, SampleJson, StatsJson, unix};
use super::w3c::Scalar;
use crate::id::GroupId;
use crate::monitor::{
    Cause, ConnectionInfo, ConnectionRow, HealthIssue, OperationCounts, StateCounts, StuckReason,
    Summary, TaskReport,
};
use crate::peer::CloseReason;
use crate::state::ConnectionState;
use crate::sync::Mutex;

/// `GET /webrtc/monitor/summary`. Its times are in seconds, to the whole millisecond.
#[derive(PartialEq, Serialize, ToSchema)]
pub(crate) struct SummaryJson {
    uptime_seconds: f64,
    timestamp: f64,
    connection_states: StatesJson,
    operation_stats: OperationStatsJson,
    pending_tasks: u64,
    event_count: u64,
    debug_mode: bool,
    logging_enabled: bool,
    health: HealthJson,
    stuck_tasks: u64,
    orphaned_tasks: u64,
    /// Closed connections of which the application still holds something.
    unreleased_connections: u64,
    open_data_channels: u64,
    dropped_log_records: u64,
}

#[derive(PartialEq, Serialize, ToSchema)]
struct StatesJson {
    total: u64,
    connected: u64,
    disconnected: u64,
    new: u64,
    connecting: u64,
    closed: u64,
    failed: u64,
}

#[derive(PartialEq, Serialize, ToSchema)]
struct OperationStatsJson {
    total: u64,
    started: u64,
    completed: u64,
    failed: u64,
    canceled: u64,
}

#[derive(PartialEq, Serialize, ToSchema)]
struct HealthJson {
    /// `ok`, `degraded` or `failing`.
    status: &'static str,
    /// What is wrong, in words.
    complaints: Vec<String>,
}

/// What the host says of itself in the summary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Modes {
    pub(crate) debug: bool,
    pub(crate) logging: bool,
}

impl SummaryJson {
    pub(crate) fn new(summary: &Summary, modes: Modes) -> Self {
        let StateCounts { new, connecting, connected, disconnected, failed, closed, .. } =
            summary.states;
        let total = summary.states.total();
        let connection_states =
            StatesJson { total, connected, disconnected, new, connecting, closed, failed };
        let OperationCounts { started, completed, failed, cancelled, .. } = summary.operations;
        // The original counts under `started` those that have not ended.
        let in_flight = summary.operations.in_flight();
        let operation_stats = OperationStatsJson {
            total: started,
            started: in_flight,
            completed,
            failed,
            canceled: cancelled,
        };
        Self {
            uptime_seconds: to_milliseconds(summary.uptime.as_secs_f64()),
            timestamp: to_milliseconds(unix(summary.at)),
            connection_states,
            operation_stats,
            pending_tasks: summary.tasks.pending(),
            event_count: summary.events,
            debug_mode: modes.debug,
            logging_enabled: modes.logging,
            health: HealthJson::new(summary),
            stuck_tasks: summary.stuck_tasks,
            orphaned_tasks: summary.orphaned_tasks,
            unreleased_connections: summary.unreleased,
            open_data_channels: summary.open_channels,
            dropped_log_records: summary.dropped,
        }
    }
}

/// Seconds, to the whole millisecond below.
fn to_milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).floor() / 1e3
}

/// Summaries as text. One that says the same, which also means in the same millisecond, is written
/// once: where it is asked for that often, most of its cost would be its text.
#[derive(Default)]
pub(crate) struct SummaryText(Mutex<Option<(SummaryJson, Bytes)>>);

impl SummaryText {
    /// The JSON of a [`SummaryJson`].
    pub(crate) fn bytes(&self, summary: &Summary, modes: Modes) -> Bytes {
        let summary = SummaryJson::new(summary, modes);
        let mut known = self.0.lock();
        if let Some((_, text)) = known.as_ref().filter(|(known, _)| *known == summary) {
            return text.clone();
        }
        let text = Bytes::from(bytes(&summary));
        *known = Some((summary, text.clone()));
        text
    }
}

impl HealthJson {
    fn new(summary: &Summary) -> Self {
        let complaints = summary.health.issues().iter().map(HealthIssue::to_string).collect();
        Self { status: summary.health.as_str(), complaints }
    }
}

/// `GET /health`: nothing but the verdict, since it needs no token.
#[derive(Serialize, ToSchema)]
pub(crate) struct AliveJson {
    /// `ok`, `degraded` or `failing`.
    status: &'static str,
    timestamp: f64,
}

impl AliveJson {
    pub(crate) fn new(summary: &Summary) -> Self {
        Self { status: summary.health.as_str(), timestamp: unix(summary.at) }
    }
}

/// A connection in one line.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowJson {
    connection_id: String,
    number: u64,
    group: Option<String>,
    connection_state: &'static str,
    ice_state: &'static str,
    created_at: f64,
    connected_at: Option<f64>,
    ended_at: Option<f64>,
    age: f64,
    round_trip_time: Option<f64>,
    bitrate_in: Option<f64>,
    bitrate_out: Option<f64>,
    loss: Option<f64>,
    quality: Option<f32>,
    tracks: usize,
    data_channels: usize,
    tasks: u64,
    errors: usize,
    close_reason: Option<&'static str>,
    cause: Option<&'static str>,
    /// Whether the application still holds something of one that has ended.
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

/// A connection, whole or in one line: what a list was asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListedJson<'a> {
    Full(Box<ConnectionJson<'a>>),
    Row(Box<RowJson>),
}

/// `GET /webrtc/monitor/connections`, as it is written part by part.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionsJson<'a> {
    /// By their ids.
    connections: BTreeMap<String, ListedJson<'a>>,
    count: usize,
    /// How many are live in all.
    total: u64,
    /// What to ask for the next ones after; null if there are no more.
    next: Option<String>,
    timestamp: f64,
}

/// `GET /webrtc/monitor/closed`, as it is written part by part.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClosedJson<'a> {
    /// The last one first; ids may be there more than once.
    connections: Vec<ListedJson<'a>>,
    count: usize,
    /// How many have ever ended.
    total: u64,
    /// What to ask for the next ones after; null if there are no more.
    next: Option<String>,
    timestamp: f64,
}

/// Writes a list of connections, some at a time.
pub(crate) struct ListWriter {
    text: Vec<u8>,
    keyed: bool,
    count: usize,
}

impl ListWriter {
    /// An object by id if `keyed`, and an array if not.
    pub(crate) fn new(keyed: bool) -> Self {
        let mut text = br#"{"connections":"#.to_vec();
        text.push(if keyed { b'{' } else { b'[' });
        Self { text, keyed, count: 0 }
    }

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
    /// By their ids, with W3C's names and units.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, serde_json::Value>>)]
    stats: BTreeMap<String, BTreeMap<&'static str, Scalar>>,
    current: Option<StatsJson<'a>>,
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
    /// Null where nothing is wrong.
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

/// `GET /webrtc/monitor/operations`.
#[derive(Serialize, ToSchema)]
pub(crate) struct OperationsJson<'a> {
    /// By their ids.
    pub(crate) operations: BTreeMap<String, OperationJson<'a>>,
    pub(crate) count: usize,
    /// What to ask for the next ones after; null if there are no more.
    pub(crate) next: Option<String>,
    pub(crate) timestamp: f64,
}

/// `GET /webrtc/monitor/operations/{id}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneOperationJson<'a> {
    pub(crate) operation: OperationJson<'a>,
    pub(crate) timestamp: f64,
}

/// `GET /webrtc/monitor/tasks`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TasksJson {
    /// The names of tasks, by the connection that they belong to; `""` for those of none.
    tasks: BTreeMap<String, Vec<&'static str>>,
    /// How many connections there are in `tasks`.
    count: usize,
    task_details: Vec<TaskJson>,
    /// What to ask for the next ones after; null if there are no more.
    next: Option<String>,
    timestamp: f64,
}

#[derive(Serialize, ToSchema)]
struct TaskJson {
    task_id: String,
    name: &'static str,
    connection_id: Option<String>,
    /// Where in the source it was started.
    location: String,
    age: f64,
    /// For how long it has been asked to stop; null if it was not.
    stopping_for: Option<f64>,
    polls: Option<u64>,
    busy: Option<f64>,
    longest_poll: Option<f64>,
    idle: Option<f64>,
    orphaned: bool,
    /// `polling`, `stopping` or `idle`; null if it is not stuck.
    trouble: Option<&'static str>,
}

impl TasksJson {
    pub(crate) fn new(reports: &[TaskReport], next: Option<u64>, at: SystemTime) -> Self {
        let mut tasks: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for TaskReport { task, .. } in reports {
            let owner = task.peer.as_ref().map_or(String::new(), ToString::to_string);
            tasks.entry(owner).or_default().push(task.name);
        }
        Self {
            count: tasks.len(),
            tasks,
            task_details: reports.iter().map(TaskJson::new).collect(),
            next: next.map(|next| next.to_string()),
            timestamp: unix(at),
        }
    }
}

impl TaskJson {
    fn new(report: &TaskReport) -> Self {
        let seconds = |time: Duration| time.as_secs_f64();
        let TaskReport { task, location, orphaned, stuck } = report;
        Self {
            task_id: task.id.to_string(),
            name: task.name,
            connection_id: task.peer.as_ref().map(ToString::to_string),
            location: location.to_string(),
            age: seconds(task.age),
            stopping_for: task.stopping_for.map(seconds),
            polls: task.polls.map(|it| it.polls),
            busy: task.polls.map(|it| seconds(it.busy)),
            longest_poll: task.polls.map(|it| seconds(it.longest)),
            idle: task.polls.map(|it| seconds(it.idle)),
            orphaned: *orphaned,
            trouble: stuck.map(StuckReason::as_str),
        }
    }
}

/// What became of the close of one connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseJson<'a> {
    /// Whether the connection is known to be gone.
    pub(crate) success: bool,
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    pub(crate) connection_id: &'a str,
    pub(crate) start_time: f64,
    pub(crate) duration_ms: f64,
    /// What became of it, in words.
    pub(crate) outcome: String,
}

/// What became of the close of many.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseManyJson<'a> {
    /// Whether every one of them is known to be gone.
    pub(crate) success: bool,
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_id: Option<&'a str>,
    pub(crate) start_time: f64,
    pub(crate) connection_count: usize,
    pub(crate) connections_closed: usize,
    pub(crate) duration_ms: f64,
    /// Those that are not known to be gone, and those that left tasks; the first hundred.
    pub(crate) problems: Vec<PeerProblemJson>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PeerProblemJson {
    pub(crate) connection_id: String,
    pub(crate) outcome: String,
    /// The tasks that would not stop, in words.
    pub(crate) stuck_tasks: Option<String>,
}

/// A close that goes on: 202.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedJson {
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    /// Where to ask what became of it.
    pub(crate) operation_url: String,
    pub(crate) start_time: f64,
}

/// `GET /webrtc/test/`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestJson {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) timestamp: f64,
}

/// A problem (RFC 9457), with what the original says beside.
#[derive(Serialize, ToSchema, utoipa::ToResponse)]
#[response(description = "A problem", content_type = "application/problem+json")]
pub(crate) struct ProblemJson {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) status: u16,
    /// What is wrong, in words.
    pub(crate) detail: String,
    /// The same: where the original has it.
    pub(crate) error: String,
    pub(crate) timestamp: f64,
    /// Of a close that did not close.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation_id: Option<String>,
}

/// The event `connection`.
#[derive(Serialize)]
pub(crate) struct ConnectionEventJson<'a> {
    pub(crate) number: u64,
    pub(crate) group: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) event: super::json::EventLineJson<'a>,
}

/// The event `gap`.
#[derive(Serialize)]
pub(crate) struct GapJson {
    /// How many events are lost; null where that cannot be known.
    pub(crate) missed: Option<u64>,
}

/// The event `snapshot`: how things are. The last one of a series says that it is.
#[derive(Serialize)]
pub(crate) struct SnapshotJson<'a> {
    pub(crate) summary: &'a SummaryJson,
    pub(crate) connections: Vec<RowJson>,
    pub(crate) operations: Vec<OperationJson<'a>>,
    pub(crate) more: bool,
}

/// Which page of a list of connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionsQuery {
    /// At most so many; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// Those after a page before: its `next`.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Those in this state.
    #[param(inline)]
    pub(crate) state: Option<StateParam>,
    /// Those of this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// All that is known (`full`, unless said otherwise), or one line (`row`).
    #[param(inline)]
    pub(crate) view: Option<ViewParam>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateParam {
    New,
    Connecting,
    Connected,
    Disconnected,
    Failed,
    Closed,
}

impl From<StateParam> for ConnectionState {
    fn from(state: StateParam) -> Self {
        match state {
            StateParam::New => Self::New,
            StateParam::Connecting => Self::Connecting,
            StateParam::Connected => Self::Connected,
            StateParam::Disconnected => Self::Disconnected,
            StateParam::Failed => Self::Failed,
            StateParam::Closed => Self::Closed,
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ViewParam {
    Full,
    Row,
}

/// Which page of the closed connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedQuery {
    /// At most so many; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// Those after a page before: its `next`.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Those of this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// All that is known (`full`, unless said otherwise), or one line (`row`).
    #[param(inline)]
    pub(crate) view: Option<ViewParam>,
}

/// Which page of the operations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationsQuery {
    /// At most so many; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// Those after a page before: its `next`.
    #[param(pattern = "^[0-9a-f]{1,16}$")]
    pub(crate) after: Option<String>,
    /// Those under way (`started`, unless said otherwise), or those that have `ended`, or have in
    /// one way; the last one first.
    #[param(inline)]
    pub(crate) state: Option<OperationStateParam>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OperationStateParam {
    Started,
    Ended,
    Completed,
    Failed,
    Canceled,
}

/// Which page of the tasks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TasksQuery {
    /// At most so many; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// Those after a page before: its `next`.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
}

/// Which dump.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DumpQuery {
    /// `internals`, unless said otherwise, or `rtcstats`.
    #[param(inline)]
    pub(crate) format: Option<DumpParam>,
    /// Only this connection.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) connection: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DumpParam {
    Internals,
    Rtcstats,
}

/// What an answer may be made of.
pub(crate) trait Shape: Serialize {}

impl<T: Serialize> Shape for T {}

/// Any shape as JSON; `null` if it cannot be.
pub(crate) fn bytes(value: &impl Shape) -> Vec<u8> {
    // What most answers have.
    let mut bytes = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => b"null".to_vec(),
    }
}

/// Any shape as JSON; `null` if it cannot be.
pub(crate) fn text(value: &impl Shape) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// What a query may be read as.
pub(crate) trait Asked: serde::de::DeserializeOwned {}

impl<T: serde::de::DeserializeOwned> Asked for T {}
