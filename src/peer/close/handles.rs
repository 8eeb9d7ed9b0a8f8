//! The eager handles of closes.

use std::fmt;
use std::iter::Peekable;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use super::report::{PeerReport, Report};
use super::result::CloseResult;
use super::sweep::Sweep;
use crate::event::{OperationGuard, Target, Watch};
use crate::id::{OperationId, PeerId};
use crate::outcome::Outcome;
use crate::peer::connection::Connection;
use crate::runtime::{JoinHandle, WaitError, wait};
use crate::sync::{Completion, EventListener};
use crate::task::StuckTasks;

/// A close under way.
///
/// It has started when this is returned, and needs nobody to go on:
///
/// - `await` it, under any executor. Inside a callback of the peer's own handler that returns at
///   once, with [`Outcome::InOwnHandler`].
/// - [`wait`](Self::wait) on it from synchronous code.
/// - Drop it: **the close goes on**.
///
/// # Cancel safety
///
/// Nothing is lost: await again, by reference, or close again, which joins the same close.
#[must_use = "the close goes on without its handle, and its outcome is lost"]
pub struct Closing {
    operation: OperationId,
    progress: Progress,
    listener: Option<EventListener>,
}

enum Progress {
    Ready(CloseResult),
    Pending {
        result: Arc<Completion<CloseResult>>,
        // Weak: a forgotten handle keeps nothing.
        connection: Weak<dyn Connection>,
    },
}

impl Closing {
    /// A close of which there is nothing to do.
    pub(in crate::peer) fn ready(watch: &Watch, target: Target<'_>, outcome: Outcome) -> Self {
        let guard = OperationGuard::start(watch, "close", target);
        let operation = guard.id();
        let result = outcome.clone().into_result();
        guard.end(&result);
        let progress = Progress::Ready(CloseResult::at_once(outcome));
        Self { operation, progress, listener: None }
    }

    pub(super) fn pending(
        operation: OperationId,
        result: &Arc<Completion<CloseResult>>,
        connection: &Arc<dyn Connection>,
    ) -> Self {
        let (result, connection) = (Arc::clone(result), Arc::downgrade(connection));
        Self { operation, progress: Progress::Pending { result, connection }, listener: None }
    }

    /// Whether there is a peer to close, or one that is remembered to have been closed. It is known
    /// at once, so that an HTTP `DELETE` can answer 404 without waiting for the close.
    ///
    /// A server that awaits the outcome before it answers maps [`NotFound`](Outcome::NotFound) to
    /// 404, [`Closed`](Outcome::Closed) and [`AlreadyClosed`](Outcome::AlreadyClosed) to 200 (a
    /// second `DELETE` too, while the peer is remembered), and everything else to 500. One that is
    /// to answer a second `DELETE` with 404 asks [`Peers::get`](crate::Peers::get) first.
    ///
    /// ```
    /// use anypeer::Peers;
    ///
    /// /// The status of the answer to `DELETE /peers/{id}`; the close goes on after it.
    /// fn delete(peers: &Peers, id: &str) -> u16 {
    ///     let closing = peers.close(id);
    ///     if closing.found() { 202 } else { 404 }
    /// }
    /// assert_eq!(delete(&Peers::new(), "camera"), 404);
    /// ```
    #[must_use]
    pub fn found(&self) -> bool {
        !matches!(&self.progress, Progress::Ready(result) if result.outcome == Outcome::NotFound)
    }

    /// The operation that the close is, for whoever looks it up in a monitor. A close that joined
    /// another is that one.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Blocks this thread until the close has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] when the time is up: the close goes on, and has a bound of its own.
    /// [`WaitError::WouldStarve`], at once, where blocking would keep an executor from running
    /// its tasks, the connection's driver perhaps among them: `await` there.
    pub fn wait(&mut self, timeout: Duration) -> Result<Outcome, WaitError> {
        wait(self, timeout)
    }

    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<CloseResult> {
        match &self.progress {
            Progress::Ready(result) => Poll::Ready(result.clone()),
            Progress::Pending { result, connection } => {
                let polled = result.poll(&mut self.listener, cx).map(Clone::clone);
                if polled.is_pending()
                    && connection.upgrade().is_some_and(|connection| connection.in_own_handler())
                {
                    return Poll::Ready(CloseResult::at_once(Outcome::InOwnHandler));
                }
                polled
            }
        }
    }
}

impl Future for Closing {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.get_mut().poll_result(cx).map(|result| result.outcome)
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match &self.progress {
            Progress::Ready(result) => Some(result),
            Progress::Pending { result, .. } => result.get(),
        };
        f.debug_struct("Closing").field("outcome", &result.map(|result| &result.outcome)).finish()
    }
}

/// The closes of a group, or of all, under way at once; each peer has its own bound.
///
/// Like [`Closing`]: started when it is returned; awaited, waited on, or dropped.
///
/// # Cancel safety
///
/// Nothing is lost: await again, by reference. The report is given once; after that it is empty.
#[must_use = "the closes go on without their handle, and the report is lost"]
pub struct ClosingAll {
    operation: OperationId,
    left: Peekable<vec::IntoIter<(PeerId, Closing)>>,
    /// The end of the set's own tasks, if they are ended too.
    stopping: Option<JoinHandle<StuckTasks>>,
    /// Of those that were found to have ended.
    report: Report,
}

impl ClosingAll {
    /// What `sweep` has begun.
    pub(in crate::peer) fn new(
        sweep: &Sweep,
        found: bool,
        closings: Vec<(PeerId, Closing)>,
    ) -> Self {
        let report = Report::new(found, closings.len());
        let left = closings.into_iter().peekable();
        Self { operation: sweep.id, left, stopping: None, report }
    }

    /// The operation that they are together. It ends with the last of them.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Whether there is anything of that name: false for a group without an open peer. Always true
    /// for a close of all.
    #[must_use]
    pub fn found(&self) -> bool {
        self.report.found
    }

    /// As [`new`](Self::new), and waits for the set's own tasks too.
    pub(in crate::peer) fn with_tasks(self, stopping: Option<JoinHandle<StuckTasks>>) -> Self {
        Self { stopping, ..self }
    }

    /// Blocks this thread until every close has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`Closing::wait`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Report, WaitError> {
        wait(self, timeout)
    }
}

impl Future for ClosingAll {
    type Output = Report;

    /// One after the other: they all go on by themselves, and this only collects.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let this = self.get_mut();
        while let Some((_, closing)) = this.left.peek_mut() {
            let CloseResult { outcome, took, stuck } = ready!(closing.poll_result(cx));
            this.report.peers.extend(this.left.next().map(|(peer, _)| PeerReport {
                peer,
                outcome,
                took,
                stuck,
            }));
        }
        if let Some(stopped) = &mut this.stopping {
            let stuck = ready!(Pin::new(stopped).poll(cx));
            this.stopping = None;
            this.report.stuck = stuck.unwrap_or_default();
        }
        let found = this.report.found;
        Poll::Ready(std::mem::replace(&mut this.report, Report::new(found, 0)))
    }
}

impl fmt::Debug for ClosingAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosingAll")
            .field("left", &self.left.len())
            .field("report", &self.report)
            .finish()
    }
}
