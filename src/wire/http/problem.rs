//! Problem documents (RFC 9457).

use serde::Serialize;
use utoipa::ToSchema;

/// A problem (RFC 9457), with the additional key `error` of the Python original.
#[derive(Serialize, ToSchema, utoipa::ToResponse)]
#[response(description = "A problem", content_type = "application/problem+json")]
pub(crate) struct ProblemJson {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) status: u16,
    /// What is wrong, as text.
    pub(crate) detail: String,
    /// The same text as `detail`, under the key of the Python original.
    pub(crate) error: String,
    pub(crate) timestamp: f64,
    /// The id of the operation, if a close did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation_id: Option<String>,
}
