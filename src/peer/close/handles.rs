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

/// A handle to the close of one peer.
///
/// The close has started when this handle is returned, and does not depend on the handle. There are
/// three ways to use the handle:
///
/// - `await` the handle, on any executor. Inside a callback of the peer's own handler, this returns
///   [`Outcome::InOwnHandler`] at once.
/// - [`wait`](Self::wait) on the handle in synchronous code.
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
/// Cancel safe. To be able to await the handle again, await it by reference
/// (`(&mut closing).await`); an await after the end of the close returns the outcome again.
/// Alternatively, close the peer again: that joins the close in progress.
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
        // The reference is weak, so that the memory of the connection is freed even if the
        // application keeps the handle.
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

    /// Whether the set knows the peer: false only if the outcome is
    /// [`NotFound`](Outcome::NotFound). The set knows every open peer, and
    /// [remembers](crate::Peers::close) peers that have ended. The answer is known at once, so that
    /// an HTTP `DELETE` can answer 404 without waiting for the close.
    ///
    /// A server that awaits the outcome before it answers may map [`NotFound`](Outcome::NotFound)
    /// to 404, [`TimedOut`](Outcome::TimedOut) to 504, [`Failed`](Outcome::Failed) to 500, and
    /// [`Closed`](Outcome::Closed), [`AlreadyClosed`](Outcome::AlreadyClosed) and
    /// [`Unconfirmed`](Outcome::Unconfirmed) to 200, as anypeer's own HTTP API does. A second
    /// `DELETE` is then answered with 200 as long as the set remembers the peer. To answer it with
    /// 404 instead, call [`Peers::get`](crate::Peers::get) first, which returns `None` for a
    /// detached peer that has ended.
    ///
    /// ```
    /// use anypeer::Peers;
    ///
    /// /// Returns the status of the answer to `DELETE /peers/{id}`. The close goes on after it.
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

    /// The operation id of the close, to find the close in a monitor. If this close joined a close
    /// in progress, both have the same id.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Blocks this thread until the close has ended, but no longer than `timeout`, which is
    /// measured by the system's clock.
    ///
    /// # Errors
    ///
    /// - [`WaitError::TimedOut`] if the close has not ended within `timeout`. The close goes on
    ///   until its own timeout.
    /// - [`WaitError::WouldStarve`], without blocking, if the close has not ended yet and this
    ///   thread is running an executor's task. Blocking the thread could prevent the executor from
    ///   running the connection's driver. Await the handle there.
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

/// A handle to the closes of all peers of a group or of a set, which run concurrently. Each close
/// has its peer's own timeout and grace period.
///
/// As with [`Closing`], the closes have started when this handle is returned. Await the handle,
/// wait on it, or drop it; the closes go on in any case. In a callback of the handler of one of
/// these peers, drop it: that peer cannot close before the callback returns. If the handle is
/// awaited there nevertheless, the peer's outcome in the report is [`Outcome::InOwnHandler`].
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
/// Cancel safe. To be able to await the handle again, await it by reference
/// (`(&mut closing).await`). The report is returned once: an await after that returns a report
/// without peers.
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

    /// The operation id of the close as a whole, to find it in a monitor. The operation ends when
    /// the last of the peers' closes has ended.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// Whether the group was found: false if the group has no peers, or only closed ones. Always
    /// true for a close of all peers.
    #[must_use]
    pub fn found(&self) -> bool {
        self.report.found
    }

    /// Makes the handle wait for the end of the set's own tasks too.
    pub(in crate::peer) fn with_tasks(self, stopping: Option<JoinHandle<StuckTasks>>) -> Self {
        Self { stopping, ..self }
    }

    /// Blocks this thread until every close has ended, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Closing::wait`].
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
