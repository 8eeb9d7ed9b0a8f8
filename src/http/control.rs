//! Closing: one, a stream's, all.

use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::api::Shared;
use super::ask::{Id, Mount, prefers_async};
use super::guard::Controller;
use super::monitor::{Answer, json};
use super::problem::Problem;
use crate::id::OperationId;
use crate::peer::{ClosingAll, Outcome, PeerReport, Report};
use crate::wire::http::{AcceptedJson, CloseJson, CloseManyJson, PeerProblemJson, ProblemJson};
use crate::wire::json::unix;

pub(super) const CLOSE: &str = "close_webrtc_connection";
pub(super) const CLOSE_ALL: &str = "close_all_webrtc_connections";
const STOP: &str = "stop_webrtc_streaming";

/// Closes a connection, and says what became of it.
#[utoipa::path(post, path = "/webrtc/connections/{id}/close", tag = "control",
    params(
        ("id" = String, Path, description = "The connection's id"),
        ("prefer" = Option<String>, Header, description = "`respond-async` not to be kept waiting (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "It ended: closed, or its end cannot be seen", body = CloseJson<'static>),
        (status = 202, description = "It goes on", body = AcceptedJson),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
pub(super) async fn close(
    Controller(shared): Controller,
    mount: Mount,
    Id(id): Id,
    headers: HeaderMap,
) -> Answer {
    let begun = Begun::now(&shared, CLOSE);
    let closing = shared.peers.close(&id);
    let operation = closing.operation();
    if prefers_async(&headers) && closing.found() {
        return Ok(begun.accepted(operation, &mount));
    }
    let outcome = closing.await;
    ended(&outcome, operation)?;
    Ok(json(&CloseJson {
        success: outcome.is_closed(),
        operation_id: operation.to_string(),
        operation: begun.operation,
        connection_id: &id,
        start_time: begun.start_time,
        duration_ms: begun.milliseconds(),
        outcome: outcome.to_string(),
    }))
}

/// Whether a close has ended the connection, as far as can be seen.
pub(super) fn ended(outcome: &Outcome, operation: OperationId) -> Result<(), Problem> {
    match outcome {
        Outcome::Closed(_) | Outcome::AlreadyClosed | Outcome::Unconfirmed => Ok(()),
        Outcome::NotFound => Err(Problem::no_connection().of(operation)),
        Outcome::TimedOut { .. } => {
            Err(Problem::close_timed_out(outcome.to_string()).of(operation))
        }
        Outcome::InOwnHandler | Outcome::Failed(_) => {
            Err(Problem::not_closed(outcome.to_string()).of(operation))
        }
    }
}

/// Closes every connection, and says what became of them.
#[utoipa::path(post, path = "/webrtc/connections/close-all", tag = "control",
    params(("prefer" = Option<String>, Header, description = "`respond-async` not to be kept waiting (RFC 7240)")),
    responses(
        (status = 200, description = "All have ended", body = CloseManyJson<'static>),
        (status = 202, description = "It goes on", body = AcceptedJson),
        (status = 500, description = "Some would not close", body = CloseManyJson<'static>),
    ))]
pub(super) async fn close_all(
    Controller(shared): Controller,
    mount: Mount,
    headers: HeaderMap,
) -> Response {
    let begun = Begun::now(&shared, CLOSE_ALL);
    let closing = shared.peers.close_all();
    if prefers_async(&headers) {
        return begun.accepted(closing.operation(), &mount);
    }
    begun.closed(closing, None).await.1
}

/// Closes every connection of a stream, which is a group, and says what became of them.
#[utoipa::path(post, path = "/webrtc/stream/stop/{server_id}", tag = "control",
    params(
        ("server_id" = String, Path, description = "The group"),
        ("prefer" = Option<String>, Header, description = "`respond-async` not to be kept waiting (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "All of it have ended", body = CloseManyJson<'static>),
        (status = 202, description = "It goes on", body = AcceptedJson),
        (status = 404, response = ProblemJson),
        (status = 500, description = "Some would not close", body = CloseManyJson<'static>),
    ))]
pub(super) async fn stop(
    Controller(shared): Controller,
    mount: Mount,
    Id(group): Id,
    headers: HeaderMap,
) -> Answer {
    let begun = Begun::now(&shared, STOP);
    let closing = shared.peers.close_group(&group);
    let operation = closing.operation();
    if prefers_async(&headers) && closing.found() {
        return Ok(begun.accepted(operation, &mount));
    }
    match begun.closed(closing, Some(&group)).await {
        (report, _) if !report.found => Err(Problem::not_found("Stream not found").of(operation)),
        (_, response) => Ok(response),
    }
}

/// A close that was begun.
pub(super) struct Begun {
    operation: &'static str,
    start_time: f64,
    start: Instant,
}

impl Begun {
    pub(super) fn now(shared: &Shared, operation: &'static str) -> Self {
        Self { operation, start_time: unix(shared.monitor.now()), start: Instant::now() }
    }

    fn milliseconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    /// Says where to ask what becomes of it.
    fn accepted(&self, operation: OperationId, Mount(mount): &Mount) -> Response {
        let url = format!("{mount}/webrtc/monitor/operations/{operation}");
        let body = json(&AcceptedJson {
            operation_id: operation.to_string(),
            operation: self.operation,
            operation_url: url.clone(),
            start_time: self.start_time,
        });
        let applied = (HeaderName::from_static("preference-applied"), "respond-async".to_owned());
        (StatusCode::ACCEPTED, [(header::LOCATION, url), applied], body).into_response()
    }

    /// Waits for all, and says what became of them.
    pub(super) async fn closed(
        self,
        closing: ClosingAll,
        group: Option<&str>,
    ) -> (Report, Response) {
        const SHOWN: usize = 100;
        let operation = closing.operation();
        let report = closing.await;
        let all_closed = report.all_closed();
        let problem = |it: &PeerReport| PeerProblemJson {
            connection_id: it.peer.to_string(),
            outcome: it.outcome.to_string(),
            stuck_tasks: (!it.stuck.is_empty()).then(|| it.stuck.to_string()),
        };
        let wrong = |it: &&PeerReport| !it.outcome.is_closed() || !it.stuck.is_empty();
        let mut response = json(&CloseManyJson {
            success: all_closed,
            operation_id: operation.to_string(),
            operation: self.operation,
            server_id: group,
            start_time: self.start_time,
            connection_count: report.peers.len(),
            connections_closed: report.closed(),
            duration_ms: self.milliseconds(),
            problems: report.peers.iter().filter(wrong).take(SHOWN).map(problem).collect(),
        });
        if !all_closed {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        (report, response)
    }
}
