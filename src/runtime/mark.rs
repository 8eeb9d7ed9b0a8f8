//! The mark that a thread bears while it is on a runtime, as far as we put it there.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::handle::{Backend, Runtime};

/// What a thread is on, as far as we marked it. The innermost mark counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing of ours.
    None,
    /// A task of ours on a backend that its name says all about: a `Copy` mark costs a nanosecond.
    #[cfg(feature = "smol")]
    Smol,
    /// Likewise.
    #[cfg(feature = "async-std")]
    AsyncStd,
    /// Likewise.
    Background,
    /// What [`NAMED`] says.
    Named { in_task: bool },
}

thread_local! {
    static MARK: Cell<Mark> = const { Cell::new(Mark::None) };
    /// The runtime of [`Mark::Named`].
    static NAMED: Cell<Option<Runtime>> = const { Cell::new(None) };
}

/// Swaps the named runtime; `None` where the thread-local is destroyed already.
fn replace_named(runtime: Option<Runtime>) -> Option<Runtime> {
    NAMED.try_with(|cell| cell.replace(runtime)).ok().flatten()
}

/// Whether this thread is polling one of our tasks.
pub(super) fn in_own_task() -> bool {
    !matches!(MARK.get(), Mark::None | Mark::Named { in_task: false })
}

/// The runtime that the thread's mark says.
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
    let named = replace_named(Some(runtime.clone()));
    let mark = MARK.replace(Mark::Named { in_task: false });
    EnterGuard { mark, named, _not_send: PhantomData }
}

/// Restores what [`current`](super::current) said before [`enter`], when dropped.
///
/// Guards of one thread are dropped in the reverse order of their making.
#[must_use = "the mark goes when the guard is dropped"]
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
    /// A future that marks the thread while it is polled.
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

/// Restores the mark after a poll, also one that panics.
struct Restore(Mark);

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        MARK.set(self.0);
    }
}

pin_project! {
    /// A future that marks the thread with a runtime by name while it is polled.
    pub(super) struct Named<F> {
        // Moves into the thread-local for a poll and back: no reference count is touched.
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

/// Gives the runtime back to its future after a poll, and the thread its own, also when the poll
/// panics.
struct RestoreNamed<'a> {
    runtime: &'a mut Option<Runtime>,
    previous: Option<Runtime>,
}

impl Drop for RestoreNamed<'_> {
    fn drop(&mut self) {
        *self.runtime = replace_named(self.previous.take());
    }
}
