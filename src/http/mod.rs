//! What the monitor knows and what can be done to peers, over HTTP: REST with the Python original's
//! paths and keys, live events, a dashboard, sessions through WHIP.
//!
//! [`Api`] makes routes that mount into any server made of tower services, on any executor, and
//! [`Api::serve`] serves them on any [`Runtime`](crate::runtime::Runtime).
//!
//! # Security
//!
//! What is asked for is checked in this order: that the `Host` is one of this machine's loopback or
//! was [named](ApiBuilder::host), so that no foreign name can be pointed at it; that no page of
//! another origin asks; and the [token](ApiBuilder::token), if there is one. Without a token it is
//! served on loopback alone. There is no CORS. No secret of a peer is in any answer.

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
pub use self::whip::sessions::SessionOptions;
