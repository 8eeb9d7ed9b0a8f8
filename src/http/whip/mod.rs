//! Sessions, so that clients have something to connect to: WHIP (RFC 9725).
//!
//! Data channels are echoed, and media is received. A stream is a group of peers. The server is an
//! application of [`crate::webrtc`] as anybody's is.

mod body;
mod echo;
mod error;
mod offer;
pub(crate) mod options;
pub(crate) mod routes;
mod secret;
pub(crate) mod sessions;
mod settings;
mod trickle;
