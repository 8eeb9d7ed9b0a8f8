//! The async-std backend.

use super::spawner::{BoxFuture, Spawner};

/// A [`Spawner`] for async-std's global executor. It can be used from any thread.
///
/// **Legacy.** async-std is discontinued (RUSTSEC-2025-0052); its maintainers recommend smol. This
/// backend is for servers that still use async-std. Peers work on it as on any other.
///
/// async-std starts the executor's threads itself. The environment variable
/// `ASYNC_STD_THREAD_COUNT` sets their number, which is the number of CPU cores by default.
///
/// ```
/// use anypeer::Peers;
/// use anypeer::runtime::{AsyncStdSpawner, Runtime};
///
/// // A set whose peers run on async-std.
/// let peers = Peers::builder().runtime(AsyncStdSpawner::new()).build();
///
/// // A task on async-std.
/// let runtime = Runtime::from(AsyncStdSpawner::new());
/// assert_eq!(async_std::task::block_on(runtime.spawn(async { 1 + 2 })), Ok(3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdSpawner(());

impl AsyncStdSpawner {
    /// Returns a spawner for the global executor.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }

    /// Returns a spawner for the global executor if the calling thread is polling an async-std task
    /// or the future of an async-std `block_on`, and otherwise `None`.
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

/// Spawns a detached task on the global executor.
#[expect(clippy::disallowed_methods, reason = "this is the backend")]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(async_std::task::spawn(task));
}

/// Whether async-std is polling a task or the future of a `block_on` on this thread.
pub(super) fn in_task() -> bool {
    async_std::task::try_current().is_some()
}
