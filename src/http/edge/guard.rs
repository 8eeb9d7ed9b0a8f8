//! The extractors that every handler names first: they refuse a request that may not be answered.
//!
//! They are extractors because an axum layer costs several allocations per request. A handler
//! without one of them would answer anybody; a test checks every route.

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
