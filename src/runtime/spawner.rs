//! The backend trait, and the handle over every backend.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use super::background::{self, StartError};
use super::clock::Clock;
use super::current::{Mark, Marked, Named};
use super::join::JoinHandle;

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
/// # let runtime = anypeer::runtime::Runtime::custom(Threads);
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

/// A handle to an executor: cheap to clone, and free to call from any thread.
///
/// Spawning on a built-in backend costs what the backend's own `spawn` costs; only a
/// [`custom`](Self::custom) spawner pays for a box.
#[derive(Clone)]
pub struct Runtime(pub(super) Backend);

#[derive(Clone)]
pub(super) enum Backend {
    #[cfg(feature = "tokio")]
    Tokio(super::TokioSpawner),
    #[cfg(feature = "smol")]
    Smol(super::SmolSpawner),
    #[cfg(feature = "async-std")]
    AsyncStd(super::AsyncStdSpawner),
    Executor(super::ExecutorSpawner),
    Background,
    Custom(Arc<dyn Spawner>),
}

impl Runtime {
    /// A handle over an executor that this crate does not know.
    #[must_use]
    pub fn custom(spawner: impl Spawner) -> Self {
        Self(Backend::Custom(Arc::new(spawner)))
    }

    /// The small executor of this crate's own, for work where the host has none.
    ///
    /// Its thread is started on first use and stays. It is also where closes are coordinated.
    ///
    /// # Errors
    ///
    /// [`StartError`] if its thread cannot be started.
    pub fn background() -> Result<Self, StartError> {
        background::start()?;
        Ok(Self(Backend::Background))
    }

    /// The [`current`](super::current) runtime, or else the [`background`](Self::background) one.
    ///
    /// # Errors
    ///
    /// [`StartError`] if there is no current runtime and the background one cannot be started.
    pub fn current_or_background() -> Result<Self, StartError> {
        super::current().map_or_else(Self::background, Ok)
    }

    /// Starts `future` on the executor.
    ///
    /// Dropping the handle detaches the task. If the executor drops the task, now or later, the
    /// handle says [`JoinError::Lost`](super::JoinError::Lost).
    #[cfg_attr(feature = "tokio", track_caller)]
    #[inline]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        match &self.0 {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => JoinHandle::tokio(spawner.spawn_typed(future)),
            #[cfg(feature = "smol")]
            Backend::Smol(_) => {
                JoinHandle::task(super::smol::spawn(Marked::new(Mark::Smol, future)))
            }
            #[cfg(feature = "async-std")]
            Backend::AsyncStd(_) => {
                let (task, handle) = JoinHandle::reported(Marked::new(Mark::AsyncStd, future));
                super::async_std::spawn(task);
                handle
            }
            Backend::Executor(spawner) => spawner
                .spawn_typed(Named::new(self.clone(), future))
                .map_or_else(JoinHandle::refused, JoinHandle::task),
            Backend::Background => Self::spawn_background(background::foreign(future)),
            Backend::Custom(spawner) => {
                let (task, handle) = JoinHandle::reported(Named::new(self.clone(), future));
                let task = Box::pin(task);
                // A spawner that panics has dropped the task, which is a refusal.
                let _refused = catch_unwind(AssertUnwindSafe(|| spawner.spawn(task)));
                handle
            }
        }
    }

    /// Starts work of ours on the background executor, which the caller knows to be running.
    ///
    /// Code that is not ours goes through [`background::foreign`].
    pub(crate) fn spawn_background<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        JoinHandle::task(background::spawn(Marked::new(Mark::Background, future)))
    }

    /// Runs `work` on this thread as if on the executor; see [`Spawner::within`].
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.0 {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => spawner.within_typed(work),
            Backend::Custom(spawner) => {
                let (mut work, mut result) = (Some(work), None);
                spawner.within(&mut || {
                    if let Some(work) = work.take() {
                        result = Some(work());
                    }
                });
                // A spawner that forgot to call `work` only loses the context, never the work.
                match (result, work) {
                    (Some(result), _) => result,
                    (None, Some(work)) => work(),
                    (None, None) => unreachable!("`work` ran, and its result was kept"),
                }
            }
            _ => work(),
        }
    }

    /// The clock of the runtime; see [`Spawner::clock`].
    #[must_use]
    pub fn clock(&self) -> Clock {
        match &self.0 {
            // A panic of a foreign spawner must not keep a peer from being made.
            Backend::Custom(spawner) => {
                catch_unwind(AssertUnwindSafe(|| spawner.clock())).unwrap_or_default()
            }
            _ => Clock::system(),
        }
    }

    /// The backend's name: `tokio`, `smol`, `async-std`, `executor`, `background`, or a custom
    /// spawner's own.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.0 {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => spawner.name(),
            #[cfg(feature = "smol")]
            Backend::Smol(spawner) => spawner.name(),
            #[cfg(feature = "async-std")]
            Backend::AsyncStd(spawner) => spawner.name(),
            Backend::Executor(spawner) => spawner.name(),
            Backend::Background => "background",
            Backend::Custom(spawner) => spawner.name(),
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.name()).finish()
    }
}

/// Starts `future` from anywhere: on the [`current`](super::current) runtime, or on the
/// background one where there is none.
///
/// The bridge between synchronous and asynchronous code. The future has started when this
/// returns; `await` the handle, [`wait`](JoinHandle::wait) on it with a bound, or drop it and the
/// work goes on.
///
/// # Errors
///
/// [`StartError`] if there is no current runtime and the background one cannot be started.
pub fn run<F>(future: F) -> Result<JoinHandle<F::Output>, StartError>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Ok(Runtime::current_or_background()?.spawn(future))
}
