//! The summary and the health.

use serde::Serialize;
use utoipa::ToSchema;

use crate::monitor::{HealthIssue, OperationCounts, StateCounts, Summary};
use crate::wire::json::unix;

/// `GET /webrtc/monitor/summary`. Times are in seconds, rounded down to the millisecond.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SummaryJson {
    /// The time since the monitor was made.
    uptime_seconds: f64,
    /// The time of the summary, in Unix seconds.
    timestamp: f64,
    connection_states: StatesJson,
    operation_stats: OperationStatsJson,
    /// The number of recorded tasks that have not ended.
    pending_tasks: u64,
    /// The number of events that the monitor has received.
    event_count: u64,
    debug_mode: bool,
    /// Whether a log is written.
    logging_enabled: bool,
    health: HealthJson,
    /// The number of connections whose driver is held by a callback of the application.
    stalled_handlers: u64,
    /// The number of tasks that are stuck.
    stuck_tasks: u64,
    /// The number of tasks that have outlived their connection.
    orphaned_tasks: u64,
    /// The number of closed connections that the application still holds, so that their memory is
    /// not freed.
    unreleased_connections: u64,
    /// The number of open data channels.
    open_data_channels: u64,
    /// The number of log records that were dropped.
    dropped_log_records: u64,
}

/// The numbers of connections, by state.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
struct StatesJson {
    /// The number of connections that were opened since the start.
    total: u64,
    connected: u64,
    disconnected: u64,
    new: u64,
    connecting: u64,
    /// The number of connections that have ended since the start.
    closed: u64,
    failed: u64,
}

/// The numbers of operations, by status.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
struct OperationStatsJson {
    /// The number of operations that were started since the start.
    total: u64,
    /// The number of operations in progress.
    started: u64,
    completed: u64,
    failed: u64,
    canceled: u64,
}

/// The health.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
struct HealthJson {
    /// `ok`, `degraded` or `failing`.
    status: &'static str,
    /// The health issues, as text.
    complaints: Vec<String>,
}

/// The modes of the application that the summary contains.
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
        // `started` of the Python original is the number of operations in progress.
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
            stalled_handlers: summary.stalled_handlers,
            stuck_tasks: summary.stuck_tasks,
            orphaned_tasks: summary.orphaned_tasks,
            unreleased_connections: summary.unreleased,
            open_data_channels: summary.open_channels,
            dropped_log_records: summary.dropped,
        }
    }

    /// Whether this summary differs from an earlier one in anything but its time.
    pub(crate) fn has_changed_since(&self, earlier: &Self) -> bool {
        let Self { uptime_seconds, timestamp, .. } = *earlier;
        Self { uptime_seconds, timestamp, ..self.clone() } != *earlier
    }
}

/// Seconds, rounded down to the millisecond.
fn to_milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).floor() / 1e3
}

impl HealthJson {
    fn new(summary: &Summary) -> Self {
        let complaints = summary.health.issues().iter().map(HealthIssue::to_string).collect();
        Self { status: summary.health.as_str(), complaints }
    }
}

/// `GET /health`: only the status, because the route needs no token.
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
