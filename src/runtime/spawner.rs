//! `Spawner`: the trait that an executor's backend implements.

use std::fmt;
use std::pin::Pin;

use super::clock::Clock;

/// A boxed future that can be sent to another thread.
pub type BoxFuture<T = ()> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// An executor that tasks can be spawned on.
///
/// anypeer implements it for tokio, smol, async-std and `async_executor::Executor`. To use any
/// other executor, implement the one required method:
///
/// ```
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::runtime::{BoxFuture, Runtime, Spawner};
///
/// /// An executor with a thread for every task.
/// #[derive(Debug)]
/// struct Threads;
///
/// impl Spawner for Threads {
///     fn spawn(&self, task: BoxFuture) {
///         let thread = std::thread::Builder::new();
///         // If no thread can be started, the task is dropped, and so refused.
///         let _started = thread.spawn(|| futures::executor::block_on(task));
///     }
/// }
///
/// // A set whose peers run on this executor, and a task on it.
/// let peers = Peers::builder().runtime(Threads).build();
/// let mut two = Runtime::from(Threads).spawn(async { 1 + 1 });
/// assert_eq!(two.wait(Duration::from_secs(5))?, Ok(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`runtime::guide`](super::guide) has a longer example.
///
/// # Contract
///
/// - [`spawn`](Self::spawn) returns without running the task to completion. It may be called on any
///   thread, in destructors, and while a panic unwinds. It does not panic.
/// - The executor polls the task until it is ready, or drops it. **A task that is dropped before it
///   is ready counts as refused**, whether or not it was polled before. An executor that is
///   shutting down refuses tasks in this way.
/// - If the executor's tasks may hold the spawner, the spawner must hold its executor weakly. With
///   a strong reference, neither the executor nor the spawner would ever be freed.
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Spawns `task` on the executor, detached.
    fn spawn(&self, task: BoxFuture);

    /// Calls `work` once, on this thread, in the context of the executor: code that finds its
    /// runtime in a thread-local, as on tokio, then finds this executor. The default only calls
    /// `work`.
    fn within(&self, work: &mut dyn FnMut()) {
        work();
    }

    /// Returns the clock of the executor; the system's clock by default. For its own use, anypeer
    /// calls this function once for each set of peers, once for each peer, and once for each task
    /// group that is created with [`TaskGroup::new`](crate::task::TaskGroup::new) or its builder.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// Returns a short name, which is used in messages. The default is `custom`.
    fn name(&self) -> &'static str {
        "custom"
    }
}
