//! Peers that are closed without being asked, and those that are not.

#[cfg(feature = "webrtc")]
mod goodbye;
#[cfg(feature = "webrtc")]
mod network;
#[cfg(feature = "test-util")]
mod rules;
#[cfg(feature = "webrtc")]
mod side;

#[cfg(feature = "webrtc")]
use std::time::Duration;

/// A goodbye must be noticed by then.
#[cfg(feature = "webrtc")]
const NOTICED_WITHIN: Duration = Duration::from_millis(1500);

#[cfg(feature = "webrtc")]
const PATIENCE: Duration = Duration::from_secs(20);
