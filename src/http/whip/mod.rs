//! Sessions, so that clients have something to connect to: WHIP (RFC 9725).
//!
//! Data channels are echoed, and media is received. A stream is a group of peers.

mod answer;
mod body;
mod offer;
pub(crate) mod routes;
pub(crate) mod sessions;
mod trickle;
