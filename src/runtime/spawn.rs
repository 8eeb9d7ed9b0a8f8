//! Starting tasks: each with a mark, by which it knows where it is, and a handle.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::background;
use super::handle::{Backend, Runtime};
use super::join::JoinHandle;
use super::mark::{Mark, Marked, Named};

impl Runtime {
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
}
