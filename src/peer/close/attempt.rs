//! The data of one close, from its start to its outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::result::CloseResult;
use super::sweep::Sweep;
use crate::close_options::CloseOptions;
use crate::event::{EventKind, OperationEnd, Target};
use crate::id::OperationId;
use crate::outcome::{CloseFailure, CloseMode, CloseReason, ForceCause, Outcome};
use crate::peer::status::Status;
use crate::runtime::JoinHandle;
use crate::runtime::clock::after;
use crate::sync::atomic::AtomicBool;
use crate::sync::{Completion, Mutex, OnceLock};

/// One close of one peer. Closes that join it share it.
pub(in crate::peer) struct Attempt {
    /// The operation id of the close.
    pub(super) id: OperationId,
    pub(in crate::peer) reason: CloseReason,
    pub(super) start: Instant,
    pub(super) timeout: Duration,
    pub(super) grace: Duration,
    pub(super) result: Arc<Completion<CloseResult>>,
    sweeps: Mutex<Sweeps>,
    /// What the connection's own close has returned: how the connection ended, or `None` if its end
    /// cannot be observed.
    pub(super) seen: OnceLock<Option<CloseMode>>,
    /// Why the connection's own close failed.
    pub(super) failed: Completion<CloseFailure>,
    /// Why the connection has ended by itself during the close.
    pub(super) ended: Completion<ForceCause>,
    /// Whether the close was aborted. The peer's tasks then have no grace period.
    pub(super) aborted: AtomicBool,
    /// Whether the graceful close was started.
    pub(super) begun: AtomicBool,
    /// Whether the forced close was started.
    pub(super) forcing: AtomicBool,
    /// Whether the close has its outcome.
    pub(super) settled: AtomicBool,
    /// The task of the graceful close, while it runs.
    pub(super) graceful: Mutex<Option<JoinHandle<()>>>,
}

/// The sweeps that a close belongs to.
enum Sweeps {
    /// The close is in progress, and belongs to these sweeps.
    Open(Vec<Arc<Sweep>>),
    /// The close has ended with this outcome, and its sweeps were told.
    Ended(Outcome),
}

impl Attempt {
    pub(super) fn new(reason: CloseReason, start: Instant, options: CloseOptions) -> Arc<Self> {
        let (timeout, grace) = options.bounds();
        Arc::new(Self {
            id: OperationId::generate(),
            reason,
            start,
            timeout,
            grace,
            result: Arc::new(Completion::new()),
            sweeps: Mutex::new(Sweeps::Open(Vec::new())),
            seen: OnceLock::new(),
            failed: Completion::new(),
            ended: Completion::new(),
            aborted: AtomicBool::new(false),
            begun: AtomicBool::new(false),
            forcing: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            graceful: Mutex::new(None),
        })
    }

    /// The end of the grace period.
    pub(super) fn grace_end(&self) -> Instant {
        after(self.start, self.grace)
    }

    /// The end of the whole bound.
    pub(super) fn deadline(&self) -> Instant {
        after(self.start, self.timeout)
    }

    /// Adds the close to a sweep. If the close has ended, the sweep is told the outcome instead.
    pub(super) fn join(&self, sweep: Option<&Arc<Sweep>>) {
        let Some(sweep) = sweep else { return };
        match &mut *self.sweeps.lock() {
            Sweeps::Open(sweeps) => sweeps.push(Arc::clone(sweep)),
            Sweeps::Ended(outcome) => sweep.note(outcome),
        }
    }

    /// Ends the operation of the close, tells its sweeps, and wakes those that await the result.
    /// Called last, after all other events of the close were reported.
    pub(super) fn end(&self, status: &Status, result: CloseResult) {
        let Status { id: peer, watch, .. } = status;
        if watch.is_attached() {
            let (id, target, at) = (self.id, Target::Peer(peer), watch.now());
            let took = at.saturating_duration_since(self.start);
            let ended = result.outcome.clone().into_result().map(|outcome| outcome.to_string());
            let end = match &ended {
                Ok(outcome) => OperationEnd::Completed(Some(outcome)),
                Err(error) => OperationEnd::Failed(error),
            };
            watch.tell_at(at, Some(peer), || EventKind::OperationEnded {
                id,
                operation: "close",
                target,
                end,
                took,
            });
        }
        let ended = Sweeps::Ended(result.outcome.clone());
        let sweeps = std::mem::replace(&mut *self.sweeps.lock(), ended);
        if let Sweeps::Open(sweeps) = sweeps {
            for sweep in sweeps {
                sweep.note(&result.outcome);
            }
        }
        self.result.set(result);
    }
}
