//! Finds the runtime that a thread is on.

use super::handle::Runtime;
use super::join::JoinHandle;
use super::mark::marked;
use super::thread::StartError;

/// Returns the runtime that the calling thread is on, or `None` if it cannot be detected.
///
/// The first of these that applies is returned:
///
/// 1. the runtime of the innermost [`enter`](super::enter) guard, or of the task that
///    [`Runtime::spawn`] started and that is being polled;
/// 2. the tokio runtime whose context the thread is in (`Handle::try_current`);
/// 3. async-std, if one of its tasks is being polled.
///
/// A thread of smol or of `async-executor` cannot be recognised. On such a thread, call
/// [`enter`](super::enter), or name the runtime where one is asked for.
///
/// This crate calls `current` when an object, such as a set of peers, is created, and never when an
/// object is dropped.
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
    /// Returns the [`current`] runtime, or the [`background`](Self::background) runtime if there is
    /// no current one.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if there is no current runtime and the background one cannot be
    /// started.
    pub fn current_or_background() -> Result<Self, StartError> {
        current().map_or_else(Self::background, Ok)
    }
}

/// Spawns `future` on the [`current`] runtime, or on the [`background`](Runtime::background)
/// runtime if there is no current one.
///
/// `run` can be called from synchronous and from asynchronous code. The future is spawned when
/// `run` returns. The handle can be awaited, [waited](JoinHandle::wait) on with a timeout, or
/// dropped; dropping it does not stop the future.
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime;
///
/// let mut answer = runtime::run(async { 6 * 7 })?;
/// assert_eq!(answer.wait(Duration::from_secs(5))?, Ok(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`StartError`] if there is no current runtime and the background one cannot be started.
pub fn run<F>(future: F) -> Result<JoinHandle<F::Output>, StartError>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Ok(Runtime::current_or_background()?.spawn(future))
}
