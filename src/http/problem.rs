//! Errors over HTTP: problem documents (RFC 9457).

use std::borrow::Cow;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

use super::guard;
use crate::id::OperationId;
use crate::wire::http::ProblemJson;
use crate::wire::json::unix;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(super) struct Problem {
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
        pub(super) fn $name(detail: impl Into<Cow<'static, str>>) -> Self {
            Self::new(StatusCode::$status, concat!("urn:anypeer:", $kind), $title, detail.into())
        }
    )*};
}

impl Problem {
    problems! {
        bad_request = BAD_REQUEST "bad-request" "Bad request";
        unauthorized = UNAUTHORIZED "unauthorized" "A token is needed";
        foreign_origin = FORBIDDEN "foreign-origin" "Foreign origin";
        foreign_host = MISDIRECTED_REQUEST "foreign-host" "Foreign host";
        not_found = NOT_FOUND "not-found" "Not found";
        method = METHOD_NOT_ALLOWED "method-not-allowed" "Method not allowed";
        not_closed = INTERNAL_SERVER_ERROR "not-closed" "Not closed";
        unavailable = SERVICE_UNAVAILABLE "unavailable" "Not available now";
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

    pub(super) fn no_connection() -> Self {
        Self::not_found("Connection not found")
    }

    /// The operation that came to this.
    pub(super) fn of(mut self, operation: OperationId) -> Self {
        self.operation = Some(operation);
        self
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }
}

/// Those of sessions.
#[cfg(feature = "webrtc")]
impl Problem {
    problems! {
        timeout = REQUEST_TIMEOUT "request-timeout" "The request did not arrive in time";
        too_large = PAYLOAD_TOO_LARGE "too-large" "Too large";
        media_type = UNSUPPORTED_MEDIA_TYPE "media-type" "Unsupported media type";
        precondition = PRECONDITION_FAILED "precondition-failed" "Precondition failed";
        precondition_required = PRECONDITION_REQUIRED "precondition-required" "Precondition required";
        unprocessable = UNPROCESSABLE_ENTITY "unprocessable" "Unprocessable content";
    }
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
        let body = crate::wire::http::bytes(&problem);
        let problem = HeaderValue::from_static("application/problem+json");
        let mut response = guard::answer(problem, Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some((name, value)) = self.header {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}

/// For what can also be asked for in a wrong way.
impl From<axum::extract::rejection::QueryRejection> for Problem {
    fn from(rejection: axum::extract::rejection::QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<axum::extract::rejection::PathRejection> for Problem {
    fn from(_: axum::extract::rejection::PathRejection) -> Self {
        Self::not_found("No such path: it is not UTF-8")
    }
}
