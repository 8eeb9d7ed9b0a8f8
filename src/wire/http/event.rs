//! Server-sent events.

use serde::Serialize;

use super::connection::RowJson;
use super::summary::SummaryJson;
use crate::wire::json::{EventLineJson, OperationJson};

/// The event `connection`.
#[derive(Serialize)]
pub(crate) struct ConnectionEventJson<'a> {
    pub(crate) number: u64,
    pub(crate) group: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) event: EventLineJson<'a>,
}

/// The event `gap`.
#[derive(Serialize)]
pub(crate) struct GapJson {
    /// The number of events that were missed; null if it is not known.
    pub(crate) missed: Option<u64>,
}

/// The event `snapshot`: a part of the current state. The last part has `more` set to false.
#[derive(Serialize)]
pub(crate) struct SnapshotJson<'a> {
    pub(crate) summary: &'a SummaryJson,
    pub(crate) connections: Vec<RowJson>,
    pub(crate) operations: Vec<OperationJson<'a>>,
    pub(crate) more: bool,
}
