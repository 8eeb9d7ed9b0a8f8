//! Everything through the public interface, on real peers.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and brings its own threads and executors"
)]
#![cfg(feature = "webrtc")]

mod adopt;
mod deadline;
mod event;
mod handler;
mod host;
#[cfg(feature = "http")]
mod http;
mod id;
mod leak;
#[cfg(feature = "test-util")]
mod leak_guard;
mod limits;
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
#[path = "../../examples/shared/loopback.rs"]
mod loopback;
#[cfg(feature = "monitor")]
mod monitor;
#[path = "../../examples/shared/proc.rs"]
mod proc;
mod process;
mod proxy;
mod reaper;
mod runtime;
mod task;
mod truth;
