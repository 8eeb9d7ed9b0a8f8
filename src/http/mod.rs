//! Monitoring and control over HTTP: a REST API, live events, a dashboard, metrics, and test
//! sessions through WHIP. The paths and keys are those of the Python original, and more.
//!
//! - [`Api::router`] returns routes for any server that uses tower services, on any executor.
//! - [`Api::serve`] serves them on any [`Runtime`](crate::runtime::Runtime).
//!
//! The routes are described in the OpenAPI document, at `/openapi.json`.
//!
//! # Security
//!
//! Every request is checked:
//!
//! 1. Its `Host` must be a loopback name of this machine, or a name that was
//!    [added](ApiBuilder::host). This protects against DNS rebinding.
//! 2. It must not come from a page of another origin. There is no CORS.
//! 3. It must contain the [token](ApiBuilder::token), if one is set and the route needs it.
//!
//! Without a token, [`Api::serve`] refuses addresses that other machines can reach. A server that
//! the routes are mounted in has to check that itself. No response contains secrets of a peer.

mod api;
mod dashboard;
mod edge;
mod routes;
mod serve;
mod shared;
mod summary_cache;
#[cfg(feature = "webrtc")]
mod whip;

pub use self::api::{Api, ApiBuilder, DEFAULT_EVENT_CLIENTS};
pub use self::serve::{ServeError, ServeOptions, Serving};
#[cfg(feature = "webrtc")]
pub use self::whip::options::SessionOptions;
