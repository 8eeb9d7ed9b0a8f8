//! Closed peers of which the application still holds some part.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::id::PeerId;
use crate::probe::{RetainedBy, Retention};

/// A closed peer whose memory cannot be freed, because the application still holds a part of the
/// connection. [`Peers::retained`](crate::Peers::retained) lists these peers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained {
    /// The peer's id.
    pub peer: PeerId,
    /// What the application holds.
    pub by: Vec<RetainedBy>,
}

/// How many closed peers are stored before they are asked for the first time whether they are still
/// held.
const FIRST_LOOK: usize = 64;

/// The closed peers that may still be held, the oldest first.
#[derive(Default)]
pub(super) struct Remains {
    all: Vec<Remain>,
    /// How many peers were ever added, which is the number of the next one.
    added: u64,
    /// How many peers were still held when they were last asked.
    held: usize,
}

/// A closed peer that may still be held.
#[derive(Clone)]
pub(super) struct Remain {
    pub(super) number: u64,
    peer: PeerId,
    retention: Arc<dyn Retention>,
}

impl Remains {
    /// Makes room for `more` peers, so that a close needs no memory for them.
    pub(super) fn reserve(&mut self, more: usize) {
        self.all.reserve(more);
    }

    /// Adds a closed peer.
    pub(super) fn add(&mut self, peer: PeerId, retention: Arc<dyn Retention>) {
        self.all.push(Remain { number: self.added, peer, retention });
        self.added += 1;
    }

    /// Whether it is time to ask all peers: when their number has doubled, so that the cost per
    /// peer is the same for any number of peers.
    pub(super) fn have_grown(&self) -> bool {
        self.all.len() >= FIRST_LOOK.max(self.held * 2)
    }

    /// A copy, so that the peers are asked without the registry's lock: a connection is foreign
    /// code.
    pub(super) fn to_vec(&self) -> Vec<Remain> {
        self.all.clone()
    }

    /// Removes the peers with these numbers, which are sorted: they are no longer held. The caller
    /// has to drop the returned peers without the registry's lock.
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
    /// What the application holds, if anything.
    pub(super) fn retained(&self) -> Option<Retained> {
        // The connection is foreign code, which may panic.
        let by =
            catch_unwind(AssertUnwindSafe(|| self.retention.retained_by())).unwrap_or_default();
        (!by.is_empty()).then(|| Retained { peer: self.peer.clone(), by })
    }
}
