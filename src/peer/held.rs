//! What the application still holds of a closed connection.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::id::PeerId;

/// Answers what of a connection is still held. Holds the connection weakly itself.
pub trait Holders: Send + Sync + 'static {
    /// One entry for each thing that the application holds; empty when all memory is free.
    fn holders(&self) -> Vec<Holder>;
}

/// Something that keeps memory of a closed connection alive. No socket and no task hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// This many references to the connection itself.
    Connection(usize),
    /// A data channel, by its label.
    DataChannel(String),
    /// Some other handle into the connection: a track, a sender, a receiver, a transceiver, or a
    /// data channel that was not made through the peer.
    Handle,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(count) => write!(f, "the connection ({count} references)"),
            Self::DataChannel(label) => write!(f, "data channel {label:?}"),
            Self::Handle => f.write_str("a track, transceiver or data channel handle"),
        }
    }
}

/// A closed peer of which the application still holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// Which peer.
    pub peer: PeerId,
    /// By what.
    pub by: Vec<Holder>,
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
    holders: Arc<dyn Holders>,
}

impl Remains {
    /// Makes room for so many more, so that a close needs no memory for it.
    pub(super) fn reserve(&mut self, more: usize) {
        self.all.reserve(more);
    }

    pub(super) fn add(&mut self, peer: PeerId, holders: Arc<dyn Holders>) {
        self.all.push(Remain { number: self.added, peer, holders });
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
    pub(super) fn held(&self) -> Option<Held> {
        // Any code; one that panics says nothing.
        let by = catch_unwind(AssertUnwindSafe(|| self.holders.holders())).unwrap_or_default();
        (!by.is_empty()).then(|| Held { peer: self.peer.clone(), by })
    }
}
