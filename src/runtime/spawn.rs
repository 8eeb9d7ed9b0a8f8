//! Spawning: gives each task a mark, by which `current` finds its runtime, and a handle.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::background;
use super::handle::{Backend, Runtime};
use super::join::JoinHandle;
use super::mark::{Mark, Marked, Named};

impl Runtime {
    /// Spawns `future` on the executor.
    ///
    /// Dropping the handle does not stop the task. If the executor drops the task, now or later,
    /// the handle returns [`JoinError::Lost`](super::JoinError::Lost).
    #[cfg_attr(feature = "tokio", track_caller)]
    #[inline]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        match &self.backend {
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
                // A spawner that panics has dropped the task, which counts as refused.
                let _refused = catch_unwind(AssertUnwindSafe(|| spawner.spawn(task)));
                handle
            }
        }
    }

    /// Spawns a future of this crate on the background executor, which must have been started.
    ///
    /// Wrap foreign code in [`background::foreign`].
    pub(crate) fn spawn_background<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        JoinHandle::task(background::spawn(Marked::new(Mark::Background, future)))
    }
}
