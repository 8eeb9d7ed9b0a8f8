//! The routes that close: one connection, the connections of a stream, or all.

use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::edge::guard::Controller;
use crate::http::edge::problem::{Answer, Problem};
use crate::http::edge::query::Params;
use crate::http::edge::request::{Id, Mount, prefers_async};
use crate::http::edge::response::json;
use crate::http::shared::Shared;
use crate::id::OperationId;
use crate::peer::{ClosingAll, Outcome, PeerReport, Report};
use crate::wire::http::{
    AcceptedJson, CloseJson, CloseManyJson, CloseQuery, PeerProblemJson, ProblemJson,
};
use crate::wire::json::unix;

// The names of the operations are those of the Python original.
const CLOSE: &str = "close_webrtc_connection";
const CLOSE_ALL: &str = "close_all_webrtc_connections";
const STOP: &str = "stop_webrtc_streaming";

/// Closes a connection and returns the outcome.
#[utoipa::path(post, path = "/webrtc/connections/{id}/close", tag = "control",
    params(
        ("id" = String, Path, description = "The connection's id"),
        ("prefer" = Option<String>, Header, description = "`respond-async` to return at once, without waiting for the outcome (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "The connection ended, or its end cannot be observed", body = CloseJson<'static>),
        (status = 202, description = "The close continues", body = AcceptedJson),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
pub(crate) async fn close(
    Controller(shared): Controller<Shared>,
    mount: Mount,
    Id(id): Id,
    headers: HeaderMap,
) -> Answer {
    let request = CloseRequest::start(&shared, CLOSE);
    let closing = shared.peers.close(&id);
    let operation = closing.operation();
    if prefers_async(&headers) && closing.found() {
        return Ok(request.accepted(operation, &mount));
    }
    let outcome = closing.await;
    ended(&outcome, operation)?;
    Ok(json(&CloseJson {
        success: outcome.is_closed(),
        operation_id: operation.to_string(),
        operation: request.operation,
        connection_id: &id,
        start_time: request.start_time,
        duration_ms: request.milliseconds(),
        outcome: outcome.to_string(),
    }))
}

/// Closes a connection and returns the outcome: the same as `POST .../close`.
///
/// This path cannot close the ids `.` and `..`, which a URL cannot contain as a path segment, nor
/// the id `close-all`. Use `DELETE /webrtc/connections?id=` for them.
#[utoipa::path(delete, path = "/webrtc/connections/{id}", tag = "control",
    params(
        ("id" = String, Path, description = "The connection's id"),
        ("prefer" = Option<String>, Header, description = "`respond-async` to return at once, without waiting for the outcome (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "The connection ended, or its end cannot be observed", body = CloseJson<'static>),
        (status = 202, description = "The close continues", body = AcceptedJson),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
pub(crate) async fn delete_connection(
    guard: Controller<Shared>,
    mount: Mount,
    id: Id,
    headers: HeaderMap,
) -> Answer {
    close(guard, mount, id, headers).await
}

/// Closes the connection with the id in the query parameter `id`, which may be any id, and returns
/// the outcome: the same as `POST .../close`. Without the parameter, nothing is closed.
#[utoipa::path(delete, path = "/webrtc/connections", tag = "control",
    params(
        CloseQuery,
        ("prefer" = Option<String>, Header, description = "`respond-async` to return at once, without waiting for the outcome (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "The connection ended, or its end cannot be observed", body = CloseJson<'static>),
        (status = 202, description = "The close continues", body = AcceptedJson),
        (status = 400, response = ProblemJson),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
pub(crate) async fn delete_connection_by_query(
    guard: Controller<Shared>,
    mount: Mount,
    Params(query): Params<CloseQuery>,
    headers: HeaderMap,
) -> Answer {
    close(guard, mount, Id(query.id), headers).await
}

/// Returns a problem unless a close has ended the connection, as far as that can be observed.
pub(crate) fn ended(outcome: &Outcome, operation: OperationId) -> Result<(), Problem> {
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

/// Closes every connection and returns the outcomes.
#[utoipa::path(post, path = "/webrtc/connections/close-all", tag = "control",
    params(("prefer" = Option<String>, Header, description = "`respond-async` to return at once, without waiting for the outcome (RFC 7240)")),
    responses(
        (status = 200, description = "Every connection ended", body = CloseManyJson<'static>),
        (status = 202, description = "The close continues", body = AcceptedJson),
        (status = 500, description = "Some connections did not close", body = CloseManyJson<'static>),
    ))]
pub(crate) async fn close_all(
    Controller(shared): Controller<Shared>,
    mount: Mount,
    headers: HeaderMap,
) -> Response {
    let request = CloseRequest::start(&shared, CLOSE_ALL);
    let closing = shared.peers.close_all();
    if prefers_async(&headers) {
        return request.accepted(closing.operation(), &mount);
    }
    request.closed(closing, None).await.1
}

/// Closes every connection of a stream, which is a group, and returns the outcomes.
#[utoipa::path(post, path = "/webrtc/stream/stop/{server_id}", tag = "control",
    params(
        ("server_id" = String, Path, description = "The id of the group"),
        ("prefer" = Option<String>, Header, description = "`respond-async` to return at once, without waiting for the outcome (RFC 7240)"),
    ),
    responses(
        (status = 200, description = "Every connection of the group ended", body = CloseManyJson<'static>),
        (status = 202, description = "The close continues", body = AcceptedJson),
        (status = 404, response = ProblemJson),
        (status = 500, description = "Some connections did not close", body = CloseManyJson<'static>),
    ))]
pub(crate) async fn stop(
    Controller(shared): Controller<Shared>,
    mount: Mount,
    Id(group): Id,
    headers: HeaderMap,
) -> Answer {
    let request = CloseRequest::start(&shared, STOP);
    let closing = shared.peers.close_group(&group);
    let operation = closing.operation();
    if prefers_async(&headers) && closing.found() {
        return Ok(request.accepted(operation, &mount));
    }
    match request.closed(closing, Some(&group)).await {
        (report, _) if !report.found => Err(Problem::not_found("Stream not found").of(operation)),
        (_, response) => Ok(response),
    }
}

/// A requested close, with the time of its start.
struct CloseRequest {
    operation: &'static str,
    start_time: f64,
    start: Instant,
}

impl CloseRequest {
    fn start(shared: &Shared, operation: &'static str) -> Self {
        Self { operation, start_time: unix(shared.monitor.now()), start: Instant::now() }
    }

    fn milliseconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    /// A response before the close has ended, with the URL of the operation.
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

    /// Waits for every close, and returns the report and a response with the outcomes.
    async fn closed(self, closing: ClosingAll, group: Option<&str>) -> (Report, Response) {
        /// The maximum number of connections in `problems`.
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
