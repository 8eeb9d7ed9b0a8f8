//! Responses and the headers that all of them have.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use axum::response::IntoResponse;

use crate::wire::http::{Shape, bytes};

/// The headers of every response.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Adds the headers of every response.
pub(crate) struct Guarded<T>(pub(crate) T);

impl<T: IntoResponse> IntoResponse for Guarded<T> {
    fn into_response(self) -> Response<Body> {
        let mut response = self.0.into_response();
        response.headers_mut().extend(ALWAYS);
        response
    }
}

/// A response with a body of a media type and the headers of every response. Most responses are of
/// this kind, so it is built in one step.
pub(crate) fn of_type(media_type: HeaderValue, body: Body) -> Response<Body> {
    // The capacity has room for the headers that the server adds to every response.
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, media_type);
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// A response with a value as JSON.
pub(crate) fn json(value: &impl Shape) -> Response<Body> {
    json_text(bytes(value))
}

/// A response with text that is already JSON.
pub(crate) fn json_text(text: impl Into<Body>) -> Response<Body> {
    of_type(HeaderValue::from_static("application/json"), text.into())
}
