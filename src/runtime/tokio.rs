//! The tokio backend.

use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, coop};

use super::error::{JoinError, panicked};
use super::spawner::{BoxFuture, Spawner};

/// A [`Spawner`] for a tokio runtime, made from the runtime's [`Handle`]. It can be used from any
/// thread.
///
/// The runtime needs its I/O and time drivers (`enable_all`). The spawner does not keep the runtime
/// running: when the runtime is dropped, its tasks are dropped too, and tasks that are spawned
/// after that are refused.
///
/// Inside a tokio runtime, [`runtime::current`](super::current) finds the runtime, and no spawner
/// is needed. Outside the runtime, use a spawner:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::runtime::TokioSpawner;
///
/// let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
/// let spawner = TokioSpawner::new(tokio.handle().clone());
/// let peers = Peers::builder().runtime(spawner).build();
/// // ..
/// // Close the peers before the runtime is dropped.
/// let report = tokio.block_on(peers.shutdown());
/// assert!(report.all_closed());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokioSpawner {
    handle: Handle,
}

impl TokioSpawner {
    /// Returns a spawner for the runtime of `handle`.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Returns a spawner for the runtime whose context the calling thread is in, or `None` if it is
    /// in none.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }

    /// Spawns a future without boxing it.
    #[track_caller]
    pub(super) fn spawn_typed<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs `work` in the context of the runtime.
    pub(super) fn within_typed<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.handle.enter();
        work()
    }

    /// Whether the calling thread is in the context of this spawner's runtime.
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

/// Polls a tokio handle. It is ready with `None` if tokio cancelled the task.
pub(super) fn poll_join<T>(
    handle: &mut JoinHandle<T>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<T, JoinError>>> {
    std::pin::Pin::new(handle).poll(cx).map(|ended| match ended {
        Ok(value) => Some(Ok(value)),
        Err(error) => error.try_into_panic().ok().map(|payload| Err(panicked(payload))),
    })
}

/// Greater than tokio's cooperative budget. tokio gives each poll of a task or of a `block_on`
/// future a budget of 128 units. Threads of the blocking pool, `block_in_place`, and other threads
/// under an `enter` guard have no budget.
const MORE_THAN_A_BUDGET: usize = 1024;

/// Whether tokio is polling a task or the future of a `block_on` on this thread.
///
/// tokio has no public function for this (tokio#7769, #3559, #6738), and `task::try_id` also
/// returns an id in the blocking pool. The cooperative budget is limited only while such a future
/// is polled, so this function spends the budget to see whether it ends, and restores it.
pub(super) fn in_task() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut cx = Context::from_waker(Waker::noop());
    // This first guard remembers the whole budget, and restores it when it is dropped.
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
