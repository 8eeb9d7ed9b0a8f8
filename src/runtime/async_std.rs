//! The async-std backend.

use super::spawner::{BoxFuture, Spawner};

/// Spawns on async-std's global executor, from any thread.
///
/// **Legacy.** async-std is discontinued (RUSTSEC-2025-0052), and recommends smol. This is for
/// servers that have not moved yet: on them peers are closed as truly as anywhere.
///
/// The executor's threads are async-std's own (`ASYNC_STD_THREAD_COUNT` of them).
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdSpawner(());

impl AsyncStdSpawner {
    /// Spawns on the global executor.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }

    /// Spawns on the global executor, if the calling thread is in one of its tasks.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        in_task().then(Self::new)
    }
}

impl Spawner for AsyncStdSpawner {
    fn spawn(&self, task: BoxFuture) {
        spawn(task);
    }

    fn name(&self) -> &'static str {
        "async-std"
    }
}

/// Spawns detached.
#[expect(clippy::disallowed_methods, reason = "this is the backend")]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(async_std::task::spawn(task));
}

/// Whether this thread is inside async-std's poll of a task or of a `block_on` future.
pub(super) fn in_task() -> bool {
    async_std::task::try_current().is_some()
}
