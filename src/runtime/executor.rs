//! The backend for an executor that the host drives itself.

use std::fmt;
use std::sync::{Arc, Weak};

use async_executor::{Executor, Task};

use super::spawner::{Backend, BoxFuture, Runtime, Spawner};

/// Spawns on an [`async_executor::Executor`] that the host drives, from any thread.
///
/// It may be driven by one thread, by several, or by nobody for a while: what is spawned waits.
/// It is held weakly: when the host drops its executor, the executor goes, with every task in it,
/// and what is spawned after that is refused.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use anypeer::runtime::{ExecutorSpawner, JoinError, Runtime};
/// use async_executor::Executor;
///
/// let executor = Arc::new(Executor::new());
/// let runtime = Runtime::from(ExecutorSpawner::new(&executor));
/// let mut two = runtime.spawn(async { 1 + 1 });
/// while executor.try_tick() {}
/// assert_eq!(two.wait(Duration::from_secs(5)).unwrap(), Ok(2));
///
/// drop(executor);
/// let mut refused = runtime.spawn(async {});
/// assert_eq!(refused.wait(Duration::from_secs(5)).unwrap(), Err(JoinError::Lost));
/// ```
///
/// Tasks that are spawned through [`Runtime::spawn`] know where they are. The host's own tasks
/// leave no mark: in them, [`enter`](super::enter) the runtime or name it, and `await` closes
/// rather than `wait` for them.
#[derive(Clone)]
pub struct ExecutorSpawner {
    executor: Weak<Executor<'static>>,
}

impl ExecutorSpawner {
    /// Spawns on `executor`, as long as the host has it.
    #[must_use]
    pub fn new(executor: &Arc<Executor<'static>>) -> Self {
        Self { executor: Arc::downgrade(executor) }
    }

    /// `None` if the executor is gone: `future` was dropped.
    #[inline]
    pub(super) fn spawn_typed<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<Task<T>> {
        Some(self.executor.upgrade()?.spawn(future))
    }
}

impl Spawner for ExecutorSpawner {
    fn spawn(&self, task: BoxFuture) {
        if let Some(task) = self.spawn_typed(task) {
            task.detach();
        }
    }

    fn name(&self) -> &'static str {
        "executor"
    }
}

impl From<ExecutorSpawner> for Runtime {
    fn from(spawner: ExecutorSpawner) -> Self {
        Self(Backend::Executor(spawner))
    }
}

impl fmt::Debug for ExecutorSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alive = self.executor.strong_count() > 0;
        f.debug_struct("ExecutorSpawner").field("alive", &alive).finish()
    }
}
