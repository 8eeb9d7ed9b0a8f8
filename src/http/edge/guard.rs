//! The extractor that every handler names first: it refuses a request that may not be answered.
//!
//! Extractors rather than a layer of axum's, which costs some boxes for each request. A handler
//! without one of them answers to anybody: a test asks every route.

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
    /// Lets anybody ask: the answer has nothing that is anybody's secret.
    Anybody => Nothing;
    /// Lets those ask who may see what there is.
    Reader => Read;
    /// Lets those ask who may change it.
    Controller => Control;
}
