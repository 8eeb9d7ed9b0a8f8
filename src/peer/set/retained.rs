//! What the application still holds of a closed connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::id::PeerId;
use crate::probe::{RetainedBy, Retention};

/// A closed peer of which the application still holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained {
    /// Which peer.
    pub peer: PeerId,
    /// By what.
    pub by: Vec<RetainedBy>,
}

/// So many are kept before they are asked for the first time.
const FIRST_LOOK: usize = 64;

/// The closed peers that may still be held, the oldest first.
#[derive(Default)]
pub(super) struct Remains {
    all: Vec<Remain>,
    added: u64,
    /// How many were still held when they were last asked.
    held: usize,
}

/// What may be held of one of them.
#[derive(Clone)]
pub(super) struct Remain {
    pub(super) number: u64,
    peer: PeerId,
    retention: Arc<dyn Retention>,
}

impl Remains {
    /// Makes room for so many more, so that a close needs no memory for it.
    pub(super) fn reserve(&mut self, more: usize) {
        self.all.reserve(more);
    }

    pub(super) fn add(&mut self, peer: PeerId, retention: Arc<dyn Retention>) {
        self.all.push(Remain { number: self.added, peer, retention });
        self.added += 1;
    }

    /// Whether it is time to ask them all: when they have doubled, so that it costs the same for
    /// each, however many there are.
    pub(super) fn have_grown(&self) -> bool {
        self.all.len() >= FIRST_LOOK.max(self.held * 2)
    }

    /// A copy, to ask without the registry's lock: a connection's answer may be any code.
    pub(super) fn to_vec(&self) -> Vec<Remain> {
        self.all.clone()
    }

    /// Forgets those that were asked and are not held, by their numbers, in order. The answer is
    /// to be dropped without the registry's lock.
    pub(super) fn forget(&mut self, free: &[u64]) -> Vec<Remain> {
        let (forgotten, kept) = std::mem::take(&mut self.all)
            .into_iter()
            .partition(|remain| free.binary_search(&remain.number).is_ok());
        self.all = kept;
        self.held = self.all.len();
        forgotten
    }
}

impl Remain {
    /// What is held, if anything is.
    pub(super) fn retained(&self) -> Option<Retained> {
        // Any code; one that panics says nothing.
        let by =
            catch_unwind(AssertUnwindSafe(|| self.retention.retained_by())).unwrap_or_default();
        (!by.is_empty()).then(|| Retained { peer: self.peer.clone(), by })
    }
}
