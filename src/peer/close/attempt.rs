//! What is known of one close, from its start to its one outcome.

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

pub(in crate::peer) struct Attempt {
    /// The operation that the close is.
    pub(super) id: OperationId,
    pub(in crate::peer) reason: CloseReason,
    pub(super) start: Instant,
    pub(super) timeout: Duration,
    pub(super) grace: Duration,
    pub(super) result: Arc<Completion<CloseResult>>,
    sweeps: Mutex<Sweeps>,
    /// What the connection's own close saw, from when it saw it.
    pub(super) seen: OnceLock<Option<CloseMode>>,
    /// Why it saw nothing.
    pub(super) failed: Completion<CloseFailure>,
    /// Why the connection has ended by itself meanwhile.
    pub(super) ended: Completion<ForceCause>,
    /// Whether it is to be over at once: then no task is waited for.
    pub(super) aborted: AtomicBool,
    /// Whether the graceful close was begun.
    pub(super) begun: AtomicBool,
    pub(super) forcing: AtomicBool,
    pub(super) settled: AtomicBool,
    /// The graceful close, while it goes on.
    pub(super) graceful: Mutex<Option<JoinHandle<()>>>,
}

/// The closes of many that a close belongs to.
enum Sweeps {
    Open(Vec<Arc<Sweep>>),
    /// It has ended, and belongs to none any more.
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

    /// When the grace period is over.
    pub(super) fn grace_end(&self) -> Instant {
        after(self.start, self.grace)
    }

    /// When everything is over.
    pub(super) fn deadline(&self) -> Instant {
        after(self.start, self.timeout)
    }

    /// Makes the close one of many, unless it has ended.
    pub(super) fn join(&self, sweep: Option<&Arc<Sweep>>) {
        let Some(sweep) = sweep else { return };
        match &mut *self.sweeps.lock() {
            Sweeps::Open(sweeps) => sweeps.push(Arc::clone(sweep)),
            Sweeps::Ended(outcome) => sweep.note(outcome),
        }
    }

    /// Says that the close is over, once everything about it was told.
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
