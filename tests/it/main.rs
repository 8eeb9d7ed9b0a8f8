//! Everything through the public interface, on real peers.

#![cfg(all(feature = "webrtc", any(feature = "smol", feature = "tokio")))]

#[path = "../../examples/shared/loopback.rs"]
mod loopback;
#[path = "../../examples/shared/proc.rs"]
mod proc;
mod truth;
