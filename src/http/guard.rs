//! What every handler asks for first: that the request may be answered.
//!
//! Extractors rather than a layer of axum's, which costs some boxes for each request. A handler
//! without one of them answers to anybody: a test asks every route.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use axum::response::IntoResponse;

use super::access::Need;
use super::api::Shared;
use super::problem::Problem;

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident => $need:ident;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name(pub(super) Shared);

        impl FromRequestParts<Shared> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
                shared.access.check(Need::$need, &parts.uri, &parts.headers)?;
                Ok(Self(shared.clone()))
            }
        }
    )*};
}

guards! {
    /// Who asks for nothing that is anybody's secret.
    Anybody => Nothing;
    /// Who asks to see what there is.
    Reader => Read;
    /// Who asks to change it.
    Controller => Control;
}

/// How every answer may be used.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// An answer that says how it may be used. All are.
pub(super) struct Guarded<T>(pub(super) T);

impl<T: IntoResponse> IntoResponse for Guarded<T> {
    fn into_response(self) -> Response<Body> {
        let mut response = self.0.into_response();
        response.headers_mut().extend(ALWAYS);
        response
    }
}

/// A [`Guarded`] body of a media type, made at once: most answers are one.
pub(super) fn answer(media_type: HeaderValue, body: Body) -> Response<Body> {
    // With those that are added to every answer.
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, media_type);
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}
