//! Everything through the public interface, on real peers.

#![cfg(all(feature = "webrtc", any(feature = "smol", feature = "tokio")))]

mod adopt;
mod deadline;
mod event;
mod host;
mod id;
mod leak;
#[path = "../../examples/shared/loopback.rs"]
mod loopback;
#[path = "../../examples/shared/proc.rs"]
mod proc;
mod process;
mod runtime;
mod truth;
