//! The tokio backend.

use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, coop};

use super::error::{JoinError, panicked};
use super::spawner::{BoxFuture, Spawner};

/// Spawns on a tokio runtime, from any thread, through a captured [`Handle`].
///
/// The runtime needs its I/O and time drivers (`enable_all`). The handle does not keep the
/// runtime running: when the runtime is dropped, its tasks are, and new ones are refused.
#[derive(Clone, Debug)]
pub struct TokioSpawner {
    handle: Handle,
}

impl TokioSpawner {
    /// Spawns on the runtime of `handle`.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Spawns on the runtime that the calling thread is in, if it is in one.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }

    #[track_caller]
    pub(super) fn spawn_typed<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.handle.spawn(future)
    }

    pub(super) fn within_typed<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.handle.enter();
        work()
    }

    /// Whether the calling thread is in this spawner's runtime.
    #[cfg(feature = "webrtc")]
    pub(super) fn is_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }
}

impl Spawner for TokioSpawner {
    fn spawn(&self, task: BoxFuture) {
        drop(self.handle.spawn(task));
    }

    fn within(&self, work: &mut dyn FnMut()) {
        self.within_typed(work);
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}

/// Polls a tokio handle; `None` for a task that tokio cancelled.
pub(super) fn poll_join<T>(
    handle: &mut JoinHandle<T>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<T, JoinError>>> {
    std::pin::Pin::new(handle).poll(cx).map(|ended| match ended {
        Ok(value) => Some(Ok(value)),
        Err(error) => error.try_into_panic().ok().map(|payload| Err(panicked(payload))),
    })
}

/// Tokio gives every poll of a task (and of a `block_on` future) a budget of 128 units, and gives
/// none to blocking-pool threads, `block_in_place` and plain threads under an `enter` guard.
const MORE_THAN_A_BUDGET: usize = 1024;

/// Whether this thread is inside tokio's poll of a task or of a `block_on` future.
///
/// There is no public question for that (tokio#7769, #3559, #6738), and `task::try_id` also
/// answers in the blocking pool. The cooperative budget tells: it is limited in exactly the polls.
/// It is spent to its end, and restored.
pub(super) fn in_task() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut cx = Context::from_waker(Waker::noop());
    // The first guard remembers the whole budget, and gives it back when it is dropped.
    let Poll::Ready(_restore) = coop::poll_proceed(&mut cx) else {
        return true;
    };
    for _ in 0..MORE_THAN_A_BUDGET {
        match coop::poll_proceed(&mut cx) {
            Poll::Ready(spent) => spent.made_progress(),
            Poll::Pending => return true,
        }
    }
    false
}
