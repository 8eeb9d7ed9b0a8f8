//! A sweep: the close of several peers as one operation, which ends with the last of them.

use std::fmt;
use std::time::Instant;

use crate::event::{EventKind, OperationEnd, Target, Watch};
use crate::id::OperationId;
use crate::outcome::{NotClosed, Outcome};
use crate::sync::atomic::{AtomicUsize, Ordering};

/// The close of several peers. Each close that belongs to the sweep holds a reference to it, and
/// the drop of the last reference ends the operation.
pub(in crate::peer) struct Sweep {
    watch: Watch,
    pub(super) id: OperationId,
    operation: &'static str,
    group: Option<Box<str>>,
    start: Instant,
    /// How many closes belong to the sweep.
    all: AtomicUsize,
    /// How many of these closes have closed their peers.
    closed: AtomicUsize,
}

impl Sweep {
    /// Starts the operation, for the peers of `group`, or for all peers.
    pub(in crate::peer) fn start(
        watch: &Watch,
        operation: &'static str,
        group: Option<&str>,
    ) -> Self {
        let sweep = Self {
            watch: watch.clone(),
            id: OperationId::generate(),
            operation,
            group: group.map(Box::from),
            start: watch.now(),
            all: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
        };
        let (id, target) = (sweep.id, sweep.target());
        let kind = || EventKind::OperationStarted { id, operation, target };
        watch.tell_at(sweep.start, None, kind);
        sweep
    }

    fn target(&self) -> Target<'_> {
        self.group.as_deref().map_or(Target::All, Target::Group)
    }

    /// Counts one more close.
    pub(super) fn expect(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a close that has ended.
    pub(super) fn note(&self, outcome: &Outcome) {
        if outcome.is_closed() {
            self.closed.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        if !self.watch.is_attached() {
            return;
        }
        let (all, closed) = (self.all.load(Ordering::Acquire), self.closed.load(Ordering::Acquire));
        let result = format!("{closed} of {all} closed");
        let left = NotAllClosed { closed, all };
        let not_found = NotClosed(Outcome::NotFound);
        let end = match (closed == all, all, &self.group) {
            (_, 0, Some(_)) => OperationEnd::Failed(&not_found),
            (true, _, _) => OperationEnd::Completed(Some(&result)),
            (false, _, _) => OperationEnd::Failed(&left),
        };
        let (id, operation, target) = (self.id, self.operation, self.target());
        let at = self.watch.now();
        let took = at.saturating_duration_since(self.start);
        let kind = || EventKind::OperationEnded { id, operation, target, end, took };
        self.watch.tell_at(at, None, kind);
    }
}

/// The error of a close of a group or of all peers that did not close every peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAllClosed {
    /// The number of peers that were closed.
    pub closed: usize,
    /// The number of peers in all.
    pub all: usize,
}

impl fmt::Display for NotAllClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} closed", self.closed, self.all)
    }
}

impl std::error::Error for NotAllClosed {}
