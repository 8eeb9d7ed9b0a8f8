//! The smol backend.

use super::spawner::{BoxFuture, Spawner};

/// Spawns on smol's global executor, from any thread.
///
/// The executor's threads are smol's own (`SMOL_THREADS` of them), so tasks run whether or not
/// the host is in a `smol::block_on`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolSpawner(());

impl SmolSpawner {
    /// Spawns on the global executor.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Spawner for SmolSpawner {
    fn spawn(&self, task: BoxFuture) {
        spawn(task).detach();
    }

    fn name(&self) -> &'static str {
        "smol"
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the backend")]
#[inline]
pub(super) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> smol::Task<T> {
    smol::spawn(future)
}

/// Whether this is one of the threads that drive smol's global executor.
///
/// smol leaves no other mark; its threads are named `smol-N` (smol 2.0, `src/spawn.rs`).
pub(super) fn on_executor_thread() -> bool {
    std::thread::current().name().is_some_and(|name| {
        name.strip_prefix("smol-")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}
