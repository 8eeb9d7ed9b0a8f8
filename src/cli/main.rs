//! The program `anypeer`: a server that monitors and closes WebRTC connections.

mod args;
mod client;
mod run_tests;
mod say;
mod serve;
mod stop;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

#[expect(clippy::disallowed_methods, reason = "the main thread, which no other task waits for")]
fn main() -> ExitCode {
    let Args { command: Command::Serve(options) } = Args::parse();
    match smol::block_on(serve::serve(&options)) {
        Ok(code) => code,
        Err(error) => {
            say::error(&*error);
            ExitCode::from(2)
        }
    }
}
