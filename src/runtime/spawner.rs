//! What an executor has to be able to do.

use std::fmt;
use std::pin::Pin;

use super::clock::Clock;

/// A boxed future that any thread may poll.
pub type BoxFuture<T = ()> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// An executor that tasks can be put on.
///
/// This is all that a third party implements to bring its own executor:
///
/// ```
/// use anypeer::runtime::{BoxFuture, Spawner};
///
/// /// A thread for every task: crude, and a complete backend.
/// #[derive(Debug)]
/// struct Threads;
///
/// impl Spawner for Threads {
///     fn spawn(&self, task: BoxFuture) {
///         std::thread::spawn(|| futures::executor::block_on(task));
///     }
/// }
/// # let runtime = anypeer::runtime::Runtime::from(Threads);
/// # let mut two = runtime.spawn(async { 1 + 1 });
/// # assert_eq!(two.wait(std::time::Duration::from_secs(5)).unwrap().unwrap(), 2);
/// ```
///
/// # Contract
///
/// - [`spawn`](Self::spawn) returns without polling the task to its end, and may be called from
///   any thread, from destructors and while a panic unwinds. It does not panic.
/// - The task is polled until it is ready, or dropped. **A task that is dropped was refused**:
///   that is how an executor that is shutting down says so, before the task's first poll or after
///   its last.
/// - An implementation that holds an executor whose tasks may hold the spawner holds it weakly.
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Puts `task` on the executor, detached.
    fn spawn(&self, task: BoxFuture);

    /// Runs `work` on this thread as if on the executor, for code that looks its runtime up in a
    /// thread-local. By default there is nothing to set.
    fn within(&self, work: &mut dyn FnMut()) {
        work();
    }

    /// The clock that belongs to the executor, read once for each peer and each group of tasks.
    /// By default the system's.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// A short name, for messages.
    fn name(&self) -> &'static str {
        "custom"
    }
}
