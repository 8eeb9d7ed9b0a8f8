//! Which runtime is this thread on?

use super::handle::Runtime;
use super::join::JoinHandle;
use super::mark::marked;
use super::thread::StartError;

/// The runtime that the calling thread is on, if that can be known.
///
/// In this order: the scope of an [`enter`](super::enter) guard or of a task that [`Runtime::spawn`] started;
/// a tokio context (`Handle::try_current`); a task of async-std's; otherwise `None`. A bare smol or `async-executor`
/// thread leaves no mark that could be read, and is never guessed: call [`enter`](super::enter) there, or name
/// the runtime.
///
/// Objects of this crate call it when they are made, never when they are dropped.
#[must_use]
pub fn current() -> Option<Runtime> {
    let current = marked();
    #[cfg(feature = "tokio")]
    let current = current.or_else(|| super::TokioSpawner::try_current().map(Runtime::from));
    #[cfg(feature = "async-std")]
    let current = current.or_else(|| super::AsyncStdSpawner::try_current().map(Runtime::from));
    current
}

impl Runtime {
    /// The [`current`] runtime, or else the [`background`](Self::background) one.
    ///
    /// # Errors
    ///
    /// [`StartError`] if there is no current runtime and the background one cannot be started.
    pub fn current_or_background() -> Result<Self, StartError> {
        current().map_or_else(Self::background, Ok)
    }
}

/// Starts `future` from anywhere: on the [`current`] runtime, or on the
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
