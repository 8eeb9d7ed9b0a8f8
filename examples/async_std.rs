//! anypeer on async-std: `cargo run --release --features async-std --example async_std -- --peers 8`.
//!
//! async-std is discontinued; this is for servers that have not moved yet.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

mod shared;

use std::process::ExitCode;

use anypeer::runtime;

#[async_std::main]
async fn main() -> ExitCode {
    let async_std = runtime::current().expect("async-std is recognised from inside");
    shared::main(async_std).await
}
