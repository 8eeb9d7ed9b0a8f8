//! The handles of closes.

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

/// A close in progress.
///
/// The close has started when this handle is returned, and does not depend on the handle. There are
/// three ways to use the handle:
///
/// - `await` the handle, under any executor. Inside a callback of the peer's own handler this
///   returns [`Outcome::InOwnHandler`] at once.
/// - [`wait`](Self::wait) on the handle from synchronous code.
/// - Drop the handle: **the close goes on**.
///
/// ```
/// use std::time::Duration;
/// use anypeer::runtime::WaitError;
/// use anypeer::{Outcome, Peer};
///
/// async fn from_async_code(peer: &Peer) -> Outcome {
///     peer.close().await
/// }
///
/// fn from_synchronous_code(peer: &Peer) -> Result<Outcome, WaitError> {
///     peer.close().wait(Duration::from_secs(10))
/// }
///
/// /// In a callback of the peer's handler, or wherever the outcome does not matter.
/// fn from_anywhere(peer: &Peer) {
///     drop(peer.close());
/// }
/// ```
///
/// # Cancel safety
///
/// Cancel safe: await the handle again, by reference, or close again, which joins the same close.
#[must_use = "the close goes on without its handle, and its outcome is lost"]
pub struct Closing {
    operation: OperationId,
    progress: Progress,
    listener: Option<EventListener>,
}

/// Whether a close has its outcome.
enum Progress {
    Ready(CloseResult),
    Pending {
        result: Arc<Completion<CloseResult>>,
        // Weak, so that a handle that is kept does not keep the connection's memory.
        connection: Weak<dyn Connection>,
    },
}

impl Closing {
    /// A close that already has its outcome. It is reported as an operation that ends at once.
    pub(in crate::peer) fn ready(watch: &Watch, target: Target<'_>, outcome: Outcome) -> Self {
        let guard = OperationGuard::start(watch, "close", target);
        let operation = guard.id();
        let result = outcome.clone().into_result();
        guard.end(&result);
        let progress = Progress::Ready(CloseResult::at_once(outcome));
        Self { operation, progress, listener: None }
    }

    /// A close in progress.
    pub(super) fn pending(
        operation: OperationId,
        result: &Arc<Completion<CloseResult>>,
        connection: &Arc<dyn Connection>,
    ) -> Self {
        let (result, connection) = (Arc::clone(result), Arc::downgrade(connection));
        Self { operation, progress: Progress::Pending { result, connection }, listener: None }
    }

    /// Whether the closed id belongs to a peer that is open, or that has ended and is still
    /// [remembered](crate::Peers::close). This is known at once, so that an HTTP `DELETE` can
    /// answer 404 without waiting for the close.
    ///
    /// A server that awaits the outcome before it answers maps [`NotFound`](Outcome::NotFound) to
    /// 404, [`Closed`](Outcome::Closed) and [`AlreadyClosed`](Outcome::AlreadyClosed) to 200, and
    /// everything else to 500. A second `DELETE` is then answered with 200 too, as long as the peer
    /// is remembered. To answer it with 404, call [`Peers::get`](crate::Peers::get) first.
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

    /// The operation id of the close, to look the close up in a monitor. A close that joined
    /// another close has the id of that other close.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Blocks this thread until the close has ended, at most for `timeout`, which is measured by
    /// the system's clock.
    ///
    /// # Errors
    ///
    /// Returns [`WaitError::TimedOut`] when the time is up. The close goes on, within its own
    /// bound. Returns [`WaitError::WouldStarve`] at once on a thread where blocking would keep an
    /// executor from running its tasks, perhaps the connection's driver among them: use `await`
    /// there.
    pub fn wait(&mut self, timeout: Duration) -> Result<Outcome, WaitError> {
        wait(self, timeout)
    }

    /// Polls for the result. Inside a callback of the peer's own handler it is ready at once.
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

/// The concurrent closes of a group or of all peers, in progress. Each peer has its own bound.
///
/// As with [`Closing`], the closes have started when this handle is returned: await the handle,
/// wait on it, or drop it.
///
/// ```
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::runtime::WaitError;
///
/// let peers = Peers::new();
/// // .. open peers ..
/// let report = peers.shutdown().wait(Duration::from_secs(10))?;
/// println!("{report}"); // Names each peer that did not close, and each task that did not stop.
/// assert!(report.all_closed());
/// # Ok::<(), WaitError>(())
/// ```
///
/// # Cancel safety
///
/// Cancel safe: await the handle again, by reference. The report is returned once; a later one is
/// empty.
#[must_use = "the closes go on without their handle, and the report is lost"]
pub struct ClosingAll {
    operation: OperationId,
    left: Peekable<vec::IntoIter<(PeerId, Closing)>>,
    /// The end of the set's own tasks, if the close is a shutdown, which ends them too.
    stopping: Option<JoinHandle<StuckTasks>>,
    /// The report of the closes that have ended so far.
    report: Report,
}

impl ClosingAll {
    /// The closes that belong to `sweep`.
    pub(in crate::peer) fn new(
        sweep: &Sweep,
        found: bool,
        closings: Vec<(PeerId, Closing)>,
    ) -> Self {
        let report = Report::new(found, closings.len());
        let left = closings.into_iter().peekable();
        Self { operation: sweep.id, left, stopping: None, report }
    }

    /// The operation id of the closes as a whole. The operation ends with the last close.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Whether the group was found: false for a group without an open peer. Always true for a close
    /// of all peers.
    #[must_use]
    pub fn found(&self) -> bool {
        self.report.found
    }

    /// Waits also for the end of the set's own tasks.
    pub(in crate::peer) fn with_tasks(self, stopping: Option<JoinHandle<StuckTasks>>) -> Self {
        Self { stopping, ..self }
    }

    /// Blocks this thread until every close has ended, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Closing::wait`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Report, WaitError> {
        wait(self, timeout)
    }
}

impl Future for ClosingAll {
    type Output = Report;

    /// Collects the outcomes one after the other. The closes run concurrently, whatever the order
    /// in which they are polled.
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
