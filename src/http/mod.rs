//! Monitoring and control over HTTP: a REST API, live events, a dashboard, metrics, and test
//! sessions through WHIP.
//!
//! - [`Api::router`] returns the routes as an axum router, to mount in any server that uses tower
//!   services, on any executor.
//! - [`Api::serve`] serves the routes with a server of anypeer's own, on any
//!   [`Runtime`](crate::runtime::Runtime).
//!
//! The API is for operators, not for end users. The OpenAPI document at `/openapi.json` describes
//! the routes, and so does `docs/http.md` in the repository. The paths and JSON keys include those
//! of the Python program that anypeer re-creates in Rust (`docs/from-python.md`).
//!
//! # Security
//!
//! Every request is checked:
//!
//! 1. The `Host` of the request must be `localhost`, `127.0.0.1` or `[::1]`, or a name that was
//!    [added](ApiBuilder::host). This protects against DNS rebinding.
//! 2. The request must not come from a page of another origin. CORS is not supported.
//! 3. The request must contain the [token](ApiBuilder::token), if one is set and the route requires
//!    it.
//!
//! Without a token, [`Api::serve`] refuses to listen on an address that other machines can reach.
//! If you mount the routes in a server of your own, that server has to restrict access itself. No
//! response contains secrets of a peer.

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
