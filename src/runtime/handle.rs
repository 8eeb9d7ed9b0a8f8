//! The handle over every backend.

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

/// A handle to an executor: cheap to clone, and free to call from any thread.
///
/// Every [`Spawner`] converts into one, so that whatever takes `impl Into<Runtime>` takes a spawner
/// as it is. Spawning on a built-in backend costs what the backend's own `spawn` costs; only
/// another spawner pays for a box.
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
    /// A handle to the spawner's executor.
    fn from(spawner: S) -> Self {
        Self { backend: Backend::new(spawner) }
    }
}

impl Backend {
    /// The built-in spawners are recognised by their types, and keep their typed way of spawning.
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
    /// The background executor of this crate, for work without another executor.
    ///
    /// Its thread is started on first use and stays. It also coordinates closes. **All peers on
    /// this runtime share one thread**: a server should name another one.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if its thread cannot be started.
    pub fn background() -> Result<Self, StartError> {
        background::start()?;
        Ok(Self { backend: Backend::Background })
    }

    /// Runs `work` on this thread as if on the executor; see [`Spawner::within`].
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
        match &self.backend {
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
