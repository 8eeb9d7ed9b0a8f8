//! Monitoring and control over HTTP: a REST API with the Python original's paths and keys, live
//! events, a dashboard, and sessions through WHIP.
//!
//! [`Api`] has routes that mount into any server made of tower services, on any executor, and
//! [`Api::serve`] serves them on any [`Runtime`](crate::runtime::Runtime).
//!
//! # Security
//!
//! Every request is checked in this order: its `Host` must be a loopback name of this machine or one
//! that was [added](ApiBuilder::host), so that no foreign name can be pointed at the server; it must
//! not come from a page of another origin; and it must have the [token](ApiBuilder::token), if one is
//! set. Without a token the API is served on loopback addresses alone. There is no CORS, and no answer
//! contains a peer's secrets.

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
