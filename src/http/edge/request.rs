//! Extractors for the path and the headers of a request.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, NestedPath, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::problem::Problem;

/// The only parameter of the path, decoded.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(id))
    }
}

/// The path that the routes are mounted under, without a slash at its end; empty if they are not
/// mounted.
pub(crate) struct Mount(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Mount {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let nested = NestedPath::from_request_parts(parts, state).await.ok();
        let mount = nested.as_ref().map_or("", NestedPath::as_str);
        Ok(Self(mount.trim_end_matches('/').to_owned()))
    }
}

/// Whether the client asks for a response before the close has ended, with `Prefer: respond-async`
/// (RFC 7240, section 4.1).
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next())
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}
