//! The threads that this crate starts.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Starts a detached thread with this name.
#[cfg(not(anypeer_loom))]
#[expect(clippy::disallowed_methods, reason = "the only threads of this crate")]
pub(crate) fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// A thread that this crate needs could not be started.
///
/// [`source`](std::error::Error::source) is the system's error.
#[derive(Clone, Debug)]
pub struct StartError(Arc<io::Error>);

impl StartError {
    /// Wraps the system's error.
    #[cfg(not(anypeer_loom))]
    pub(crate) fn new(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a thread could not be started")
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
