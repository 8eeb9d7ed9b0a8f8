//! The program `anypeer`: a server that shows and closes WebRTC connections.

mod args;
mod client;
mod run_tests;
mod serve;
mod stop;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

#[expect(clippy::disallowed_methods, reason = "the program's own thread, which nothing waits for")]
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

/// The program's output. Whether anybody reads it is theirs.
mod say {
    use std::error::Error;
    use std::fmt::Display;
    use std::io::{Write, stderr, stdout};

    pub(crate) fn line(text: impl Display) {
        let _unread = writeln!(stdout(), "{text}");
    }

    pub(crate) fn note(text: impl Display) {
        let _unread = writeln!(stderr(), "{text}");
    }

    /// An error, and what it came from.
    pub(crate) fn error(error: &(dyn Error + 'static)) {
        let sources = std::iter::successors(error.source(), |&error| error.source());
        let chain = std::iter::once(error.to_string()).chain(sources.map(ToString::to_string));
        note(format_args!("anypeer: {}", chain.collect::<Vec<_>>().join(": ")));
    }
}
