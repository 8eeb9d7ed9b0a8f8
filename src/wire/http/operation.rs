//! Operations.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::json::OperationJson;

/// `GET /webrtc/monitor/operations`.
#[derive(Serialize, ToSchema)]
pub(crate) struct OperationsJson<'a> {
    /// Keyed by operation id.
    pub(crate) operations: BTreeMap<String, OperationJson<'a>>,
    pub(crate) count: usize,
    /// Cursor for the next page; null on the last one.
    pub(crate) next: Option<String>,
    pub(crate) timestamp: f64,
}

/// `GET /webrtc/monitor/operations/{id}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneOperationJson<'a> {
    pub(crate) operation: OperationJson<'a>,
    pub(crate) timestamp: f64,
}
