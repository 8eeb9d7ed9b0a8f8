//! Extractors that refuse requests without permission. Every handler has one of them as its first
//! argument.
//!
//! They are extractors because an axum layer costs several allocations per request. A handler
//! without one would answer every request, so a test checks all routes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::access::{Access, Need};
use super::problem::Problem;

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident => $need:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name<S>(pub(crate) S);

        impl<S: AsRef<Access> + Clone + Send + Sync> FromRequestParts<S> for $name<S> {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, shared: &S) -> Result<Self, Problem> {
                shared.as_ref().check(Need::$need, &parts.uri, &parts.headers)?;
                Ok(Self(shared.clone()))
            }
        }
    )*};
}

guards! {
    /// Admits anybody: the response contains no secret.
    Anybody => Nothing;
    /// Admits clients that may read.
    Reader => Read;
    /// Admits clients that may change something.
    Controller => Control;
}
