//! The outcomes of closes.

use serde::Serialize;
use utoipa::ToSchema;

/// The outcome of closing one connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseJson<'a> {
    /// Whether the connection is known to be closed.
    pub(crate) success: bool,
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    pub(crate) connection_id: &'a str,
    pub(crate) start_time: f64,
    pub(crate) duration_ms: f64,
    /// The outcome, as text.
    pub(crate) outcome: String,
}

/// The outcome of closing many connections.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseManyJson<'a> {
    /// Whether every connection is known to be closed.
    pub(crate) success: bool,
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_id: Option<&'a str>,
    pub(crate) start_time: f64,
    pub(crate) connection_count: usize,
    pub(crate) connections_closed: usize,
    pub(crate) duration_ms: f64,
    /// Connections that are not known to be closed, or whose tasks did not stop (at most 100).
    pub(crate) problems: Vec<PeerProblemJson>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PeerProblemJson {
    pub(crate) connection_id: String,
    pub(crate) outcome: String,
    /// The tasks that did not stop, as text.
    pub(crate) stuck_tasks: Option<String>,
}

/// A close that continues in the background.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedJson {
    pub(crate) operation_id: String,
    pub(crate) operation: &'static str,
    /// The URL of the operation, which has the outcome when the close ends.
    pub(crate) operation_url: String,
    pub(crate) start_time: f64,
}
