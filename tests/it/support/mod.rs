//! What several tests share.

pub(crate) mod fake;
#[path = "../../../examples/shared/flag.rs"]
pub(crate) mod flag;
#[cfg(feature = "monitor")]
pub(crate) mod folder;
pub(crate) mod host;
pub(crate) mod http;
#[cfg(feature = "webrtc")]
#[path = "../../../examples/shared/loopback.rs"]
pub(crate) mod loopback;
pub(crate) mod panics;
pub(crate) mod poll;
#[cfg(feature = "webrtc")]
#[path = "../../../examples/shared/proc.rs"]
pub(crate) mod proc;
pub(crate) mod process;
#[cfg(feature = "webrtc")]
pub(crate) mod proxy;
