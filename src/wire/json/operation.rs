//! An operation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::time::{seconds, unix};
use crate::monitor::{Detail, OperationInfo, OperationOutcome, OperationTarget};

/// Everything that is known of an operation.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct OperationJson<'a> {
    operation_id: String,
    operation_type: &'static str,
    /// When the operation was started, in Unix seconds.
    start_time: f64,
    /// The details that the application has added, and the target as `connection_id` or
    /// `server_id`.
    details: BTreeMap<&'static str, DetailJson<'a>>,
    /// `started` while the operation is in progress, then `completed`, `failed` or `canceled`.
    status: &'static str,
    /// When the operation ended, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    /// The duration of the operation, in seconds, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    /// The result of an operation that has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<ResultJson<'a>>,
    /// The text of the error of an operation that has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// The texts of the error and of its sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_chain: Option<&'a [Box<str>]>,
}

/// The value of a detail.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(untagged)]
enum DetailJson<'a> {
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Flag(bool),
}

/// The result of an operation, as text.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
struct ResultJson<'a> {
    outcome: Option<&'a str>,
}

/// Returns the name of a kind. The names of the Python original are kept.
fn operation_type(kind: &'static str) -> &'static str {
    match kind {
        "close" => "close_webrtc_connection",
        "close_all" => "close_all_webrtc_connections",
        "close_group" => "stop_webrtc_streaming",
        other => other,
    }
}

impl<'a> OperationJson<'a> {
    pub(crate) fn new(info: &'a OperationInfo) -> Self {
        let target = match &info.target {
            OperationTarget::Peer(peer) => Some(("connection_id", peer.as_str())),
            OperationTarget::UnknownPeer(id) => Some(("connection_id", &**id)),
            OperationTarget::Group(group) => Some(("server_id", &**group)),
            OperationTarget::None | OperationTarget::All => None,
        };
        let details = info.details.iter().map(|(name, value)| {
            let value = match value {
                Detail::Text(text) => DetailJson::Text(text),
                Detail::Integer(integer) => DetailJson::Integer(*integer),
                Detail::Number(number) => DetailJson::Number(*number),
                Detail::Flag(flag) => DetailJson::Flag(*flag),
            };
            (*name, value)
        });
        let target = target.map(|(name, id)| (name, DetailJson::Text(id)));
        let (mut result, mut error_chain) = (None, None);
        match &info.outcome {
            Some(OperationOutcome::Completed(outcome)) => {
                result = Some(ResultJson { outcome: outcome.as_deref() });
            }
            Some(OperationOutcome::Failed(chain)) => error_chain = Some(&**chain),
            Some(OperationOutcome::Cancelled) | None => {}
        }
        let ended = info.outcome.is_some();
        Self {
            operation_id: info.id.to_string(),
            operation_type: operation_type(info.kind),
            start_time: unix(info.started_at),
            details: details.chain(target).collect(),
            status: info.outcome.as_ref().map_or("started", OperationOutcome::as_str),
            end_time: ended.then(|| unix(info.started_at + info.duration)),
            duration: ended.then(|| seconds(info.duration)),
            result,
            error: error_chain.and_then(|chain| chain.first()).map(|error| &**error),
            error_chain,
        }
    }
}
