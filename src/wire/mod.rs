//! The shapes of everything that is serialised or parsed. Only this module uses serde.

#![cfg_attr(
    feature = "http",
    allow(single_use_lifetimes, reason = "what derives schemas names lifetimes that it uses once")
)]

#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "dump")]
pub(crate) mod internals;
#[cfg(any(feature = "http", feature = "log"))]
pub(crate) mod json;
#[cfg(feature = "log")]
pub(crate) mod log;
#[cfg(feature = "dump")]
pub(crate) mod rtcstats;
#[cfg(feature = "dump")]
pub(crate) mod w3c;
