//! The backend for an `async_executor::Executor` that the application runs.

use std::fmt;
use std::sync::{Arc, Weak};

use async_executor::{Executor, StaticExecutor, Task};

use super::spawner::{BoxFuture, Spawner};

/// A [`Spawner`] for an [`Executor`] of `async_executor` (which is the same type as
/// `smol::Executor`) that the application runs. It can be used from any thread.
///
/// One thread or several may run the executor. While no thread runs it, its tasks wait. If the
/// executor is in an `Arc`, the spawner holds it weakly: when the application drops the executor,
/// all of its tasks are dropped, and tasks that are spawned after that are refused.
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
/// With an executor in a `static`:
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
/// [`runtime::current`](super::current) recognises tasks that are spawned through
/// [`Runtime::spawn`](super::Runtime::spawn), but not tasks that the application spawns on the
/// executor itself. In a task that the application spawns, [`enter`](super::enter) the runtime or
/// name it, and `await` closes instead of blocking on them with `wait`.
///
/// # `LocalExecutor`
///
/// A `LocalExecutor` cannot be used as a spawner, because its tasks can only be spawned from one
/// thread. An application that has no other executor can leave its peers on the
/// [`background`](super::Runtime::background) runtime, which is the default, and await the handles
/// of this crate in its local tasks. Handles may be awaited on any executor.
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
    /// Returns a spawner for `executor`, which is a `&Arc<Executor<'static>>`, a
    /// `&'static Executor<'static>` or a `&'static StaticExecutor`. The spawner does not keep an
    /// executor in an `Arc` alive.
    #[must_use]
    pub fn new(executor: impl Into<Self>) -> Self {
        executor.into()
    }

    /// Spawns `future`. Returns `None`, and drops `future`, if the executor is gone.
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
