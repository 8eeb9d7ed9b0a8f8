//! Marks a thread with the runtime that it is on: while it polls a task that this crate spawned,
//! and while an `enter` guard is alive.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::handle::{Backend, Runtime};

/// The mark of a thread. Marks nest, and the innermost one counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The thread is not marked.
    None,
    /// The thread polls a task of this crate on smol's global executor. This mark and the next two
    /// need no reference to the executor, so setting one takes about a nanosecond.
    #[cfg(feature = "smol")]
    Smol,
    /// The thread polls a task of this crate on async-std's global executor.
    #[cfg(feature = "async-std")]
    AsyncStd,
    /// The thread polls a task on the background executor.
    Background,
    /// The thread is on the runtime in [`NAMED`]: in a task, or in the scope of an `enter` guard.
    Named { in_task: bool },
}

thread_local! {
    static MARK: Cell<Mark> = const { Cell::new(Mark::None) };
    /// The runtime of [`Mark::Named`].
    static NAMED: Cell<Option<Runtime>> = const { Cell::new(None) };
}

/// Replaces the named runtime, and returns the previous one; `None` if the thread-local has been
/// destroyed.
fn replace_named(runtime: Option<Runtime>) -> Option<Runtime> {
    NAMED.try_with(|cell| cell.replace(runtime)).ok().flatten()
}

/// Whether this thread is polling a task that this crate spawned.
pub(super) fn in_own_task() -> bool {
    !matches!(MARK.get(), Mark::None | Mark::Named { in_task: false })
}

/// Returns the runtime that this thread is marked with.
pub(super) fn marked() -> Option<Runtime> {
    match MARK.get() {
        Mark::None => None,
        #[cfg(feature = "smol")]
        Mark::Smol => Some(super::SmolSpawner::new().into()),
        #[cfg(feature = "async-std")]
        Mark::AsyncStd => Some(super::AsyncStdSpawner::new().into()),
        Mark::Background => Some(Runtime { backend: Backend::Background }),
        Mark::Named { .. } => {
            let runtime = replace_named(None);
            replace_named(runtime.clone());
            runtime
        }
    }
}

/// Makes [`current`](super::current) return `runtime` on the calling thread until the guard is
/// dropped.
///
/// This is for applications whose executor cannot be detected. Call this function once on each
/// thread of the executor and keep the guard, or hold a guard during a single call.
///
/// ```
/// use anypeer::runtime::{self, Runtime};
///
/// let runtime = Runtime::background()?;
/// let guard = runtime::enter(&runtime);
/// assert_eq!(runtime::current().unwrap().name(), "background");
/// drop(guard);
/// assert!(runtime::current().is_none());
/// # Ok::<(), runtime::StartError>(())
/// ```
#[must_use = "dropping the guard ends its effect"]
pub fn enter(runtime: &Runtime) -> EnterGuard {
    let named = replace_named(Some(runtime.clone()));
    let mark = MARK.replace(Mark::Named { in_task: false });
    EnterGuard { mark, named, _not_send: PhantomData }
}

/// The guard that [`enter`] returns. When it is dropped, [`current`](super::current) returns what
/// it returned before.
///
/// Drop the guards of one thread in the reverse order of their creation.
#[must_use = "dropping the guard ends its effect"]
pub struct EnterGuard {
    mark: Mark,
    named: Option<Runtime>,
    _not_send: PhantomData<*mut ()>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        MARK.set(self.mark);
        let ours = replace_named(self.named.take());
        drop(ours);
    }
}

impl fmt::Debug for EnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that sets a mark while it is polled.
    pub(super) struct Marked<F> {
        mark: Mark,
        #[pin]
        future: F,
    }
}

impl<F> Marked<F> {
    #[inline]
    pub(super) fn new(mark: Mark, future: F) -> Self {
        Self { mark, future }
    }
}

impl<F: Future> Future for Marked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _marked = Restore(MARK.replace(*this.mark));
        this.future.poll(cx)
    }
}

/// Restores the previous mark after a poll, even if the poll panics.
struct Restore(Mark);

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        MARK.set(self.0);
    }
}

pin_project! {
    /// A future that marks the thread with a runtime while it is polled.
    pub(super) struct Named<F> {
        // During a poll the runtime is moved to the thread-local and back, so that no reference
        // count changes.
        runtime: Option<Runtime>,
        #[pin]
        future: Marked<F>,
    }
}

impl<F> Named<F> {
    pub(super) fn new(runtime: Runtime, future: F) -> Self {
        let future = Marked::new(Mark::Named { in_task: true }, future);
        Self { runtime: Some(runtime), future }
    }
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let previous = replace_named(this.runtime.take());
        let _polling = RestoreNamed { runtime: this.runtime, previous };
        this.future.poll(cx)
    }
}

/// After a poll, moves the runtime back to its future, and restores the thread's previous one, even
/// if the poll panics.
struct RestoreNamed<'a> {
    runtime: &'a mut Option<Runtime>,
    previous: Option<Runtime>,
}

impl Drop for RestoreNamed<'_> {
    fn drop(&mut self) {
        *self.runtime = replace_named(self.previous.take());
    }
}
