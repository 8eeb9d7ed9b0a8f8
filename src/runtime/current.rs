//! Which runtime is this thread on?

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::spawner::Runtime;

/// What this thread is doing on our behalf.
struct Scope {
    runtime: Runtime,
    /// Whether a task of ours is being polled, as opposed to a host's [`enter`] guard.
    in_task: bool,
}

thread_local! {
    static SCOPE: Cell<Option<Scope>> = const { Cell::new(None) };
}

/// Swaps the scope; `None` where the thread-local is destroyed already.
fn replace(scope: Option<Scope>) -> Option<Scope> {
    SCOPE.try_with(|cell| cell.replace(scope)).ok().flatten()
}

/// Reads the scope.
fn read<T>(read: impl FnOnce(&Scope) -> T) -> Option<T> {
    let scope = replace(None)?;
    let value = read(&scope);
    replace(Some(scope));
    Some(value)
}

/// Whether this thread is polling one of our tasks.
pub(super) fn in_own_task() -> bool {
    read(|scope| scope.in_task).unwrap_or(false)
}

/// The runtime that the calling thread is on, if that can be known.
///
/// In this order: the scope of an [`enter`] guard or of a task that [`Runtime::spawn`] started;
/// a tokio context (`Handle::try_current`); otherwise `None`. A bare smol or `async-executor`
/// thread leaves no mark that could be read, and is never guessed: call [`enter`] there, or name
/// the runtime.
///
/// Objects of this crate call it when they are made, never when they are dropped.
#[must_use]
pub fn current() -> Option<Runtime> {
    let scoped = read(|scope| scope.runtime.clone());
    #[cfg(feature = "tokio")]
    let scoped = scoped.or_else(|| super::TokioSpawner::try_current().map(Runtime::from));
    scoped
}

/// Marks the calling thread as being on `runtime` until the guard is dropped.
///
/// For a host whose executor leaves no mark of its own: enter once in each executor thread, or
/// around a call.
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
#[must_use = "the mark goes when the guard is dropped"]
pub fn enter(runtime: &Runtime) -> EnterGuard {
    let scope = Scope { runtime: runtime.clone(), in_task: false };
    EnterGuard { previous: replace(Some(scope)), _not_send: PhantomData }
}

/// Restores what [`current`] said before [`enter`], when dropped.
///
/// Guards of one thread are dropped in the reverse order of their making.
#[must_use = "the mark goes when the guard is dropped"]
pub struct EnterGuard {
    previous: Option<Scope>,
    _not_send: PhantomData<*mut ()>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let ours = replace(self.previous.take());
        drop(ours);
    }
}

impl fmt::Debug for EnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that is on its runtime while it is polled.
    pub(super) struct Scoped<F> {
        // Moves into the thread-local for a poll and back: no reference count is touched.
        runtime: Option<Runtime>,
        #[pin]
        future: F,
    }
}

impl<F> Scoped<F> {
    pub(super) fn new(runtime: Runtime, future: F) -> Self {
        Self { runtime: Some(runtime), future }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let scope = this.runtime.take().map(|runtime| Scope { runtime, in_task: true });
        let _polling = Polling { runtime: this.runtime, previous: replace(scope) };
        this.future.poll(cx)
    }
}

/// Gives the runtime back to its future after a poll, and the thread its scope, also when the
/// poll panics.
struct Polling<'a> {
    runtime: &'a mut Option<Runtime>,
    previous: Option<Scope>,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        *self.runtime = replace(self.previous.take()).map(|scope| scope.runtime);
    }
}
