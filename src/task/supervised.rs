//! The future that an executor gets for a task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::books::Books;
use crate::runtime::clock::Sleep;
use crate::runtime::{JoinError, panicked};
use crate::task_info::{CancelReason, TaskEnd};

pin_project! {
    /// A task's future under its group's eyes: it catches panics, stops when asked, and says how
    /// it ended, also when its executor drops it.
    pub(super) struct Supervised<F: Future> {
        // Dropped before the end is told.
        #[pin]
        future: Option<F>,
        // Boxed: few tasks have one, and every task's future is moved about.
        deadline: Option<Box<Sleep>>,
        failure: fn(&F::Output) -> Option<String>,
        // Which one the record has. Not itself: a task must not hold what may hold it.
        waker: Option<(usize, usize)>,
        place: Place,
    }
}

impl<F: Future> Supervised<F> {
    #[inline]
    pub(super) fn new(
        future: F,
        place: Place,
        deadline: Option<Box<Sleep>>,
        failure: fn(&F::Output) -> Option<String>,
    ) -> Self {
        Self { future: Some(future), deadline, failure, waker: None, place }
    }
}

impl<F: Future> Future for Supervised<F> {
    type Output = Result<F::Output, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut stop = this.place.is_stopping();
        if stop.is_none() {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                return Poll::Ready(Err(JoinError::Lost));
            };
            this.place.begin_poll();
            // The text of an error is the application's code, too.
            let poll = || future.poll(cx).map(|output| ((this.failure)(&output), output));
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready((failure, output))) => {
                    let end = failure.map_or(TaskEnd::Completed, TaskEnd::Failed);
                    // Dropping what is left of it may panic too; it has its output all the same.
                    let _ignored = dropped(this.future);
                    this.place.leave(&end);
                    return Poll::Ready(Ok(output));
                }
                Ok(Poll::Pending) => {
                    this.place.end_poll();
                    let waker = identity(cx.waker());
                    if this.waker.replace(waker) != Some(waker) {
                        // It may have been asked before there was a waker to be woken.
                        stop = this.place.wait(cx.waker());
                    }
                    if let Some(deadline) = this.deadline
                        && Pin::new(deadline).poll(cx).is_ready()
                    {
                        stop = stop.or(Some(CancelReason::DeadlineExceeded));
                    }
                }
                Err(panic) => {
                    let _panicked_again = dropped(this.future);
                    return this.place.panicked(panicked(panic));
                }
            }
        }
        let Some(reason) = stop else { return Poll::Pending };
        if let Err(error) = dropped(this.future) {
            return this.place.panicked(error);
        }
        this.place.leave(&TaskEnd::Cancelled(reason));
        Poll::Ready(Err(JoinError::Cancelled))
    }
}

/// What tells one waker from another, for as long as either is alive.
fn identity(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
}

/// Drops the future now; its locals may panic.
#[inline]
fn dropped<F>(mut future: Pin<&mut Option<F>>) -> Result<(), JoinError> {
    catch_unwind(AssertUnwindSafe(|| future.set(None))).map_err(panicked)
}

/// A task's place in its group's books. Dropped before the task has ended, it says that the task
/// is lost.
pub(super) struct Place {
    group: Arc<Books>,
    place: usize,
    left: bool,
}

impl Place {
    #[inline]
    pub(super) fn new(group: Arc<Books>, place: usize) -> Self {
        Self { group, place, left: false }
    }

    /// Why the task is to be dropped now, if it is.
    #[inline]
    fn is_stopping(&self) -> Option<CancelReason> {
        self.group.is_stopping(self.place)
    }

    /// Leaves a waker for whoever asks the task to stop; says whether somebody has.
    fn wait(&self, waker: &Waker) -> Option<CancelReason> {
        self.group.wait(self.place, waker)
    }

    #[inline]
    fn begin_poll(&self) {
        self.group.begin_poll(self.place);
    }

    #[inline]
    fn end_poll(&self) {
        self.group.end_poll(self.place);
    }

    #[cold]
    fn panicked<T>(&mut self, error: JoinError) -> Poll<Result<T, JoinError>> {
        let message = match &error {
            JoinError::Panicked(message) => message.clone(),
            other => other.to_string(),
        };
        self.leave(&TaskEnd::Panicked(message));
        Poll::Ready(Err(error))
    }

    /// Ends the task, once.
    #[inline]
    fn leave(&mut self, end: &TaskEnd) {
        if !std::mem::replace(&mut self.left, true) {
            self.group.remove(self.place, end);
        }
    }
}

impl Drop for Place {
    #[inline]
    fn drop(&mut self) {
        self.leave(&TaskEnd::Lost);
    }
}
