//! Test sessions that clients can connect to: WHIP (RFC 9725).
//!
//! Data channels are echoed, and media is received and discarded. A stream is a group of peers. The
//! sessions use only the public interface of [`crate::webrtc`].

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
