//! anypeer on tokio: `cargo run --release --features tokio --example tokio -- --peers 8`.

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

#[tokio::main]
async fn main() -> ExitCode {
    let tokio = runtime::current().expect("tokio is recognised from inside");
    shared::main(tokio).await
}
