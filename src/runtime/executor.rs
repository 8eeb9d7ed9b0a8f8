//! The backend for an executor that the host drives itself.

use std::fmt;
use std::sync::{Arc, Weak};

use async_executor::{Executor, StaticExecutor, Task};

use super::spawner::{BoxFuture, Spawner};

/// Spawns on an [`Executor`] of `async_executor`'s (or smol's, which is the same) that the host
/// drives, from any thread.
///
/// The executor may be driven by one thread, by several, or by nobody for a while: what is spawned
/// waits. One in an `Arc` is held weakly: when the host drops it, the executor goes, with every
/// task in it, and what is spawned after that is refused.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use anypeer::runtime::{Executor, ExecutorSpawner, JoinError, Runtime};
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
/// An executor in a `static`:
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime::{ExecutorSpawner, Runtime, StaticExecutor};
///
/// static EXECUTOR: StaticExecutor = StaticExecutor::new();
///
/// let runtime = Runtime::from(ExecutorSpawner::new(&EXECUTOR));
/// let mut two = runtime.spawn(async { 1 + 1 });
/// while EXECUTOR.try_tick() {}
/// assert_eq!(two.wait(Duration::from_secs(5)).unwrap(), Ok(2));
/// ```
///
/// Tasks that are spawned through [`Runtime::spawn`](super::Runtime::spawn) know where they are.
/// The host's own tasks leave no mark: in them, [`enter`](super::enter) the runtime or name it, and
/// `await` closes rather than `wait` for them.
///
/// # `LocalExecutor`
///
/// A `LocalExecutor` cannot back a spawner: its tasks stay on one thread, and those of a
/// [`Spawner`] are spawned from any. A host that has nothing else leaves its peers on the
/// [`background`](super::Runtime::background) runtime, which is where they are if no other is
/// named, and awaits the handles of this crate in its local tasks: handles may be awaited on any
/// executor.
///
/// ```
/// use anypeer::runtime::Runtime;
/// use async_executor::LocalExecutor;
///
/// let background = Runtime::background()?;
/// let local = LocalExecutor::new();
/// let answer = local.run(async { background.spawn(async { 6 * 7 }).await });
/// assert_eq!(futures::executor::block_on(answer), Ok(42));
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct ExecutorSpawner {
    executor: Held,
}

/// How the spawner holds its executor.
#[derive(Clone)]
enum Held {
    Weak(Weak<Executor<'static>>),
    Static(&'static Executor<'static>),
    StaticExecutor(&'static StaticExecutor),
}

impl ExecutorSpawner {
    /// Spawns on `executor`: a `&Arc<Executor<'static>>`, which the spawner does not keep alive, a
    /// `&'static Executor<'static>` or a `&'static StaticExecutor`.
    #[must_use]
    pub fn new(executor: impl Into<Self>) -> Self {
        executor.into()
    }

    /// `None` if the executor is gone: `future` was dropped.
    #[inline]
    pub(super) fn spawn_typed<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<Task<T>> {
        Some(match &self.executor {
            Held::Weak(executor) => executor.upgrade()?.spawn(future),
            Held::Static(executor) => executor.spawn(future),
            Held::StaticExecutor(executor) => executor.spawn(future),
        })
    }
}

impl From<&Arc<Executor<'static>>> for ExecutorSpawner {
    fn from(executor: &Arc<Executor<'static>>) -> Self {
        Self { executor: Held::Weak(Arc::downgrade(executor)) }
    }
}

impl From<&'static Executor<'static>> for ExecutorSpawner {
    fn from(executor: &'static Executor<'static>) -> Self {
        Self { executor: Held::Static(executor) }
    }
}

impl From<&'static StaticExecutor> for ExecutorSpawner {
    fn from(executor: &'static StaticExecutor) -> Self {
        Self { executor: Held::StaticExecutor(executor) }
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

impl fmt::Debug for ExecutorSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alive = match &self.executor {
            Held::Weak(executor) => executor.strong_count() > 0,
            Held::Static(_) | Held::StaticExecutor(_) => true,
        };
        f.debug_struct("ExecutorSpawner").field("alive", &alive).finish()
    }
}
