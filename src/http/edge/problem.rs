//! Errors over HTTP: problem documents (RFC 9457).

use std::borrow::Cow;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

use super::response;
use crate::id::OperationId;
use crate::wire::http::{ProblemJson, bytes};
use crate::wire::json::unix;

/// The result of a handler that may refuse a request.
pub(crate) type Answer = Result<Response<Body>, Problem>;

/// The reason why a request was refused or failed.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    operation: Option<OperationId>,
    header: Option<(&'static str, &'static str)>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident $kind:literal $title:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(detail: impl Into<Cow<'static, str>>) -> Self {
            Self::new(StatusCode::$status, concat!("urn:anypeer:", $kind), $title, detail.into())
        }
    )*};
}

impl Problem {
    problems! {
        bad_request = BAD_REQUEST "bad-request" "Bad request";
        unauthorized = UNAUTHORIZED "unauthorized" "Token required";
        foreign_origin = FORBIDDEN "foreign-origin" "Foreign origin";
        foreign_host = MISDIRECTED_REQUEST "foreign-host" "Foreign host";
        not_found = NOT_FOUND "not-found" "Not found";
        method = METHOD_NOT_ALLOWED "method-not-allowed" "Method not allowed";
        not_closed = INTERNAL_SERVER_ERROR "not-closed" "Not closed";
        unavailable = SERVICE_UNAVAILABLE "unavailable" "Service unavailable";
        close_timed_out = GATEWAY_TIMEOUT "close-timed-out" "Not closed in time";
    }

    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: Cow<'static, str>,
    ) -> Self {
        Self { status, kind, title, detail, operation: None, header: None }
    }

    /// The problem of a connection that does not exist.
    pub(crate) fn no_connection() -> Self {
        Self::not_found("Connection not found")
    }

    /// Adds the id of the operation that the problem belongs to.
    pub(crate) fn of(mut self, operation: OperationId) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Sets an additional response header.
    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }
}

/// Problems that only occur on the routes of sessions.
#[cfg(feature = "webrtc")]
impl Problem {
    problems! {
        timeout = REQUEST_TIMEOUT "request-timeout" "Request timeout";
        too_large = PAYLOAD_TOO_LARGE "too-large" "Too large";
        media_type = UNSUPPORTED_MEDIA_TYPE "media-type" "Unsupported media type";
        internal = INTERNAL_SERVER_ERROR "internal" "Internal error";
        precondition = PRECONDITION_FAILED "precondition-failed" "Precondition failed";
        precondition_required = PRECONDITION_REQUIRED "precondition-required" "Precondition required";
        unprocessable = UNPROCESSABLE_ENTITY "unprocessable" "Unprocessable content";
    }
}

/// The text of an error, followed by the texts of its sources.
#[cfg(feature = "webrtc")]
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let texts = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    texts.collect::<Vec<_>>().join(": ")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let problem = ProblemJson {
            kind: self.kind,
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail.clone().into_owned(),
            error: self.detail.into_owned(),
            timestamp: unix(SystemTime::now()),
            operation_id: self.operation.map(|id| id.to_string()),
        };
        let body = bytes(&problem);
        let problem = HeaderValue::from_static("application/problem+json");
        let mut response = response::of_type(problem, Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some((name, value)) = self.header {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::not_found("The path is not valid UTF-8")
    }
}
