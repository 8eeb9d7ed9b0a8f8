//! What the application still holds of a closed connection.

use std::fmt;
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

/// How many are added before what is no longer held is forgotten.
const PRUNE_INTERVAL: usize = 64;

/// The closed peers that may still be held.
#[derive(Default)]
pub(super) struct Remains {
    all: Vec<Remain>,
    added: usize,
}

/// What may be held of one of them.
#[derive(Clone)]
pub(super) struct Remain {
    peer: PeerId,
    holders: Arc<dyn Holders>,
}

impl Remains {
    /// Adds one; says whether it is time to [`forget`](Self::forget).
    pub(super) fn add(&mut self, peer: PeerId, holders: Arc<dyn Holders>) -> bool {
        self.all.push(Remain { peer, holders });
        self.added += 1;
        self.added.is_multiple_of(PRUNE_INTERVAL)
    }

    /// A copy, to ask without the registry's lock: a connection's answer may be any code.
    pub(super) fn to_vec(&self) -> Vec<Remain> {
        self.all.clone()
    }

    /// Forgets those that were asked and are not held.
    pub(super) fn forget(&mut self, free: &[Remain]) {
        self.all
            .retain(|known| !free.iter().any(|free| Arc::ptr_eq(&free.holders, &known.holders)));
    }
}

impl Remain {
    /// What is held, if anything is.
    pub(super) fn held(&self) -> Option<Held> {
        let by = self.holders.holders();
        (!by.is_empty()).then(|| Held { peer: self.peer.clone(), by })
    }
}
