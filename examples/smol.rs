//! anypeer on smol: `cargo run --release --example smol -- --peers 8`.

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

use anypeer::runtime::SmolSpawner;

fn main() -> ExitCode {
    smol::block_on(shared::main(SmolSpawner::new().into()))
}
