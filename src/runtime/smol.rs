//! The smol backend.

use super::spawner::{BoxFuture, Spawner};

/// A [`Spawner`] for smol's global executor. It can be used from any thread.
///
/// smol starts the executor's threads itself. The environment variable `SMOL_THREADS` sets their
/// number, which is 1 by default. Tasks run on these threads whether or not the application is in a
/// `smol::block_on`.
///
/// [`runtime::current`](super::current) cannot detect smol in the tasks that the application itself
/// spawns. Name the runtime instead:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::runtime::{Runtime, SmolSpawner};
///
/// // A set whose peers run on smol.
/// let peers = Peers::builder().runtime(SmolSpawner::new()).build();
///
/// // A task on smol.
/// let runtime = Runtime::from(SmolSpawner::new());
/// assert_eq!(smol::block_on(runtime.spawn(async { 1 + 2 })), Ok(3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolSpawner(());

impl SmolSpawner {
    /// Returns a spawner for the global executor.
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

/// Spawns a task on the global executor.
#[expect(clippy::disallowed_methods, reason = "this is the backend")]
#[inline]
pub(super) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> smol::Task<T> {
    smol::spawn(future)
}

/// Whether this is a thread of smol's global executor.
///
/// The name is the only way to recognise one: smol names its threads `smol-N` (smol 2.0,
/// `src/spawn.rs`).
pub(super) fn on_executor_thread() -> bool {
    std::thread::current().name().is_some_and(|name| {
        name.strip_prefix("smol-")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}
