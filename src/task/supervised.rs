//! The future that is spawned for a recorded task.

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
    /// Wraps the future of a recorded task: catches its panics, drops it when it is to stop, and
    /// records how it ended, even if the executor drops it.
    pub(super) struct Supervised<F: Future> {
        // Dropped before the end is reported.
        #[pin]
        future: Option<F>,
        // Boxed, because few tasks have one, and the future is moved when it is spawned.
        deadline: Option<Box<Sleep>>,
        failure: fn(&F::Output) -> Option<String>,
        // The identity of the waker that the record has. The waker itself may own this task, so
        // holding it here could be a reference cycle.
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
            // `failure` formats an error of the application, whose code may panic too.
            let poll = || future.poll(cx).map(|output| ((this.failure)(&output), output));
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready((failure, output))) => {
                    let end = failure.map_or(TaskEnd::Completed, TaskEnd::Failed);
                    // Dropping the future may panic; the output is returned nevertheless.
                    let _ignored = dropped(this.future);
                    this.place.leave(&end);
                    return Poll::Ready(Ok(output));
                }
                Ok(Poll::Pending) => {
                    this.place.end_poll();
                    let waker = identity(cx.waker());
                    if this.waker.replace(waker) != Some(waker) {
                        // The task may have been asked to stop before the record had this waker.
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

/// A value that differs between any two wakers that are alive at the same time, unless they wake
/// the same task.
fn identity(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
}

/// Drops the future now, and catches a panic of its destructor.
#[inline]
fn dropped<F>(mut future: Pin<&mut Option<F>>) -> Result<(), JoinError> {
    catch_unwind(AssertUnwindSafe(|| future.set(None))).map_err(panicked)
}

/// A task's entry in its group. If it is dropped before the task has ended, the task is lost.
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

    /// Returns why the task is to be dropped, or `None` if it is not.
    #[inline]
    fn is_stopping(&self) -> Option<CancelReason> {
        self.group.is_stopping(self.place)
    }

    /// Keeps a waker for the time when the task is to stop. Returns the reason if it is to stop
    /// already.
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

    /// Records that the task panicked.
    #[cold]
    fn panicked<T>(&mut self, error: JoinError) -> Poll<Result<T, JoinError>> {
        let message = match &error {
            JoinError::Panicked(message) => message.clone(),
            other => other.to_string(),
        };
        self.leave(&TaskEnd::Panicked(message));
        Poll::Ready(Err(error))
    }

    /// Records the end of the task; only the first call has an effect.
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
