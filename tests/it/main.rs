//! Everything through the public interface: on real peers where the feature `webrtc` is there, and
//! on connections without a network for all that needs none.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and brings its own threads and executors"
)]

mod abort;
#[cfg(feature = "webrtc")]
mod adopt;
#[cfg(feature = "test-util")]
mod clock;
mod deadline;
#[cfg(feature = "webrtc")]
mod event;
mod find;
#[cfg(feature = "test-util")]
mod grace;
#[cfg(all(feature = "test-util", feature = "webrtc"))]
mod handler;
#[cfg(all(feature = "http", feature = "webrtc"))]
mod http;
mod id;
#[cfg(feature = "webrtc")]
mod leak;
#[cfg(all(feature = "test-util", feature = "webrtc"))]
mod leak_guard;
mod limits;
#[cfg(feature = "monitor")]
mod monitor;
#[cfg(feature = "webrtc")]
mod negotiate;
#[cfg(all(feature = "smol", feature = "tokio", feature = "webrtc"))]
mod programs;
mod reaper;
mod reserve;
mod runtime;
mod state;
#[allow(dead_code, reason = "what is used of it depends on the features")]
mod support;
mod task;
#[cfg(feature = "webrtc")]
mod truth;
