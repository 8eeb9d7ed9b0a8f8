//! The only threads of this crate.

use std::io;

/// Starts a thread by name.
#[expect(clippy::disallowed_methods, reason = "the only threads of this crate")]
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
