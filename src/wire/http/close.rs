//! The outcomes of closes.

use serde::Serialize;
use utoipa::ToSchema;

/// The outcome of closing one connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseJson<'a> {
    /// Whether the connection is known to be closed.
    pub(crate) success: bool,
    /// The id of the close, as an operation.
    pub(crate) operation_id: String,
    /// The name of the operation.
    pub(crate) operation: &'static str,
    pub(crate) connection_id: &'a str,
    /// When the close was started, in Unix seconds.
    pub(crate) start_time: f64,
    /// The duration of the close, in milliseconds.
    pub(crate) duration_ms: f64,
    /// The outcome, as text.
    pub(crate) outcome: String,
}

/// The outcome of closing many connections.
#[derive(Serialize, ToSchema)]
pub(crate) struct CloseManyJson<'a> {
    /// Whether every connection is known to be closed.
    pub(crate) success: bool,
    /// The id of the close, as an operation.
    pub(crate) operation_id: String,
    /// The name of the operation.
    pub(crate) operation: &'static str,
    /// The id of the group, if only its connections were closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_id: Option<&'a str>,
    /// When the close was started, in Unix seconds.
    pub(crate) start_time: f64,
    /// The number of connections that were to be closed.
    pub(crate) connection_count: usize,
    /// The number of connections that are known to be closed.
    pub(crate) connections_closed: usize,
    /// The duration of the close, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Connections that are not known to be closed, or whose tasks did not stop (at most 100).
    pub(crate) problems: Vec<PeerProblemJson>,
}

/// A connection that is not known to be closed, or whose tasks did not stop.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeerProblemJson {
    pub(crate) connection_id: String,
    /// The outcome of the close, as text.
    pub(crate) outcome: String,
    /// The tasks that did not stop, as text.
    pub(crate) stuck_tasks: Option<String>,
}

/// A close that continues in the background.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedJson {
    /// The id of the close, as an operation.
    pub(crate) operation_id: String,
    /// The name of the operation.
    pub(crate) operation: &'static str,
    /// The URL of the operation, which has the outcome when the close ends.
    pub(crate) operation_url: String,
    /// When the close was started, in Unix seconds.
    pub(crate) start_time: f64,
}
