//! Every shape that leaves the process, and nothing but shapes: no other layer knows serde.

#[cfg(feature = "dump")]
pub(crate) mod internals;
#[cfg(feature = "log")]
pub(crate) mod json;
#[cfg(feature = "dump")]
pub(crate) mod rtcstats;
#[cfg(feature = "dump")]
pub(crate) mod w3c;
