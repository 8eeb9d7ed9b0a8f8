//! `Runtime`: a handle to an executor, with a variant for each backend.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[cfg(feature = "async-std")]
use super::async_std::AsyncStdSpawner;
use super::background;
use super::clock::Clock;
use super::executor::ExecutorSpawner;
#[cfg(feature = "smol")]
use super::smol::SmolSpawner;
use super::spawner::Spawner;
use super::thread::StartError;
#[cfg(feature = "tokio")]
use super::tokio::TokioSpawner;

/// A handle to an executor. It is cheap to clone, and can be used from any thread.
///
/// Every [`Spawner`] converts into a `Runtime`, so a function that takes `impl Into<Runtime>` also
/// takes a spawner. On a built-in backend, spawning calls the backend's own `spawn` without boxing
/// the future; for any other spawner, the future is boxed.
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime::Runtime;
///
/// // The runtime that this thread is on, or else the background executor. To name a runtime, write
/// // for instance `Runtime::from(SmolSpawner::new())`.
/// let runtime = Runtime::current_or_background()?;
/// let mut answer = runtime.spawn(async { 6 * 7 });
/// // This is synchronous code. In a task, write `answer.await` instead.
/// assert_eq!(answer.wait(Duration::from_secs(5))?, Ok(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Dropping a `Runtime` stops neither the executor nor any task.
#[derive(Clone)]
pub struct Runtime {
    pub(super) backend: Backend,
}

#[derive(Clone)]
pub(super) enum Backend {
    #[cfg(feature = "tokio")]
    Tokio(TokioSpawner),
    #[cfg(feature = "smol")]
    Smol(SmolSpawner),
    #[cfg(feature = "async-std")]
    AsyncStd(AsyncStdSpawner),
    Executor(ExecutorSpawner),
    Background,
    Custom(Arc<dyn Spawner>),
}

impl<S: Spawner> From<S> for Runtime {
    /// Returns a handle to the spawner's executor.
    fn from(spawner: S) -> Self {
        Self { backend: Backend::new(spawner) }
    }
}

impl Backend {
    /// Recognises the built-in spawners by their types, so that futures need not be boxed for them.
    fn new(spawner: impl Spawner) -> Self {
        let any: &dyn Any = &spawner;
        #[cfg(feature = "tokio")]
        if let Some(spawner) = any.downcast_ref::<TokioSpawner>() {
            return Self::Tokio(spawner.clone());
        }
        #[cfg(feature = "smol")]
        if let Some(spawner) = any.downcast_ref::<SmolSpawner>() {
            return Self::Smol(*spawner);
        }
        #[cfg(feature = "async-std")]
        if let Some(spawner) = any.downcast_ref::<AsyncStdSpawner>() {
            return Self::AsyncStd(*spawner);
        }
        if let Some(spawner) = any.downcast_ref::<ExecutorSpawner>() {
            return Self::Executor(spawner.clone());
        }
        Self::Custom(Arc::new(spawner))
    }
}

impl Runtime {
    /// Returns the background executor of this crate, which runs peers and tasks that have no other
    /// executor. It also coordinates closes.
    ///
    /// Its thread, named `anypeer`, is started on first use and never ends. **All peers on this
    /// runtime normally share this one thread**: a server should use another runtime.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread of the executor, or the thread of its timers, cannot be
    /// started.
    pub fn background() -> Result<Self, StartError> {
        background::start()?;
        Ok(Self { backend: Backend::Background })
    }

    /// Runs `work` on this thread, in the context of the executor; see [`Spawner::within`].
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.backend {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => spawner.within_typed(work),
            Backend::Custom(spawner) => {
                let (mut work, mut result) = (Some(work), None);
                spawner.within(&mut || {
                    if let Some(work) = work.take() {
                        result = Some(work());
                    }
                });
                // If the spawner did not call `work`, the work is done without the context.
                match (result, work) {
                    (Some(result), _) => result,
                    (None, Some(work)) => work(),
                    (None, None) => unreachable!("`work` ran, and its result was kept"),
                }
            }
            _ => work(),
        }
    }

    /// Returns the clock of the runtime; see [`Spawner::clock`].
    #[must_use]
    pub fn clock(&self) -> Clock {
        match &self.backend {
            // A panic in a custom spawner's `clock` must not prevent that a peer is opened.
            Backend::Custom(spawner) => {
                catch_unwind(AssertUnwindSafe(|| spawner.clock())).unwrap_or_default()
            }
            _ => Clock::system(),
        }
    }

    /// Returns the backend's name: `tokio`, `smol`, `async-std`, `executor`, `background`, or the
    /// [name](Spawner::name) of a custom spawner.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.backend {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_spawners_are_recognised() {
        let executor = Arc::new(async_executor::Executor::new());
        let backend = Backend::new(ExecutorSpawner::new(&executor));
        assert!(matches!(backend, Backend::Executor(_)));
        #[cfg(feature = "smol")]
        assert!(matches!(Backend::new(SmolSpawner::new()), Backend::Smol(_)));
        #[cfg(feature = "async-std")]
        assert!(matches!(Backend::new(AsyncStdSpawner::new()), Backend::AsyncStd(_)));
        #[cfg(feature = "tokio")]
        {
            let tokio = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
            let backend = Backend::new(TokioSpawner::new(tokio.handle().clone()));
            assert!(matches!(backend, Backend::Tokio(_)));
        }
    }
}
