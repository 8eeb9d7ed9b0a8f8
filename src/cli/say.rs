//! The program's output. A failed write is ignored: a closed pipe must not end the server.

use std::error::Error;
use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// Prints a line to standard output.
pub(crate) fn line(text: impl Display) {
    let _unread = writeln!(stdout(), "{text}");
}

/// Prints a line to standard error.
pub(crate) fn note(text: impl Display) {
    let _unread = writeln!(stderr(), "{text}");
}

/// Prints an error with its sources.
pub(crate) fn error(error: &(dyn Error + 'static)) {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    let chain = std::iter::once(error.to_string()).chain(sources.map(ToString::to_string));
    note(format_args!("anypeer: {}", chain.collect::<Vec<_>>().join(": ")));
}
