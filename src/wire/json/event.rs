//! An event of a connection.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::time::unix;
use crate::monitor::TimelineEvent;

/// An event of a connection.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct EventJson {
    #[serde(rename = "type")]
    kind: &'static str,
    /// When the event occurred, in Unix seconds.
    timestamp: f64,
    details: BTreeMap<&'static str, String>,
}

/// An event with the id of its connection and its level.
#[derive(Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub(crate) struct EventLineJson<'a> {
    connection_id: &'a str,
    /// `debug`, `info` or `warn`.
    level: &'static str,
    #[serde(flatten)]
    event: EventJson,
}

impl<'a> EventLineJson<'a> {
    pub(crate) fn new(connection_id: &'a str, at: SystemTime, event: &TimelineEvent) -> Self {
        Self { connection_id, level: event.level().as_str(), event: EventJson::new(at, event) }
    }
}

impl EventJson {
    pub(super) fn new(at: SystemTime, event: &TimelineEvent) -> Self {
        let (kind, details) = described(event);
        Self { kind, timestamp: unix(at), details: details.into_iter().collect() }
    }
}

/// Returns the type and the details of an event. The types of the Python original are kept.
fn described(event: &TimelineEvent) -> (&'static str, Vec<(&'static str, String)>) {
    match event {
        TimelineEvent::ConnectionState(state) => {
            ("connection_state_change", vec![("state", state.to_string())])
        }
        TimelineEvent::IceConnectionState(state) => {
            ("ice_state_change", vec![("state", state.to_string())])
        }
        TimelineEvent::SignalingState(state) => {
            ("signaling_state_change", vec![("state", state.to_string())])
        }
        TimelineEvent::IceGatheringState(state) => {
            ("gathering_state_change", vec![("state", state.to_string())])
        }
        TimelineEvent::TrackAdded { id } => ("track_added", vec![("track_id", id.to_string())]),
        TimelineEvent::TrackRemoved { id } => ("track_removed", vec![("track_id", id.to_string())]),
        TimelineEvent::ChannelAdded { id, label } => (
            "data_channel_added",
            vec![("channel_id", id.to_string()), ("label", label.to_string())],
        ),
        TimelineEvent::ChannelRemoved { id } => {
            ("data_channel_removed", vec![("channel_id", id.to_string())])
        }
        TimelineEvent::TaskAdded { id, name } => {
            ("async_task_added", vec![("task_id", id.to_string()), ("name", (*name).to_owned())])
        }
        TimelineEvent::TaskRemoved { id, name, end } => (
            "async_task_removed",
            vec![
                ("task_id", id.to_string()),
                ("name", (*name).to_owned()),
                ("end", end.as_str().to_owned()),
            ],
        ),
        TimelineEvent::Error(error) => ("error", vec![("error", error.to_string())]),
        TimelineEvent::Opened => ("opened", Vec::new()),
        TimelineEvent::NegotiationNeeded => ("negotiation_needed", Vec::new()),
        TimelineEvent::Described { side, kind, ice_restart } => (
            "description_set",
            vec![
                ("side", side.to_string()),
                ("sdp_type", kind.to_string()),
                ("ice_restart", ice_restart.to_string()),
            ],
        ),
        TimelineEvent::Candidate { side, candidate } => (
            "candidate_added",
            vec![("side", side.to_string()), ("candidate", candidate.to_string())],
        ),
        TimelineEvent::CandidateFailed { code, message } => {
            ("candidate_error", vec![("code", code.to_string()), ("error", message.to_string())])
        }
        TimelineEvent::SelectedPair => ("selected_pair_change", Vec::new()),
        TimelineEvent::DtlsAlert { side, description } => (
            "dtls_alert",
            vec![("side", side.to_string()), ("description", description.to_string())],
        ),
        TimelineEvent::HandlerStalled(callback) => {
            ("handler_stalled", vec![("callback", (*callback).to_owned())])
        }
        TimelineEvent::HandlerReturned(callback) => {
            ("handler_returned", vec![("callback", (*callback).to_owned())])
        }
        TimelineEvent::CloseStarted(reason) => {
            ("close_started", vec![("reason", reason.to_string())])
        }
        TimelineEvent::NotClosed(outcome) => ("not_closed", vec![("outcome", outcome.to_string())]),
        TimelineEvent::Closed(reason) => ("closed", vec![("reason", reason.to_string())]),
        TimelineEvent::Released => ("released", Vec::new()),
    }
}
