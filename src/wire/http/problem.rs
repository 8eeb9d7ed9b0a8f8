//! Problem documents (RFC 9457).

use serde::Serialize;
use utoipa::ToSchema;

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
