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

/// The closed peers that may still be held, forgotten as they are let go of.
#[derive(Default)]
pub(super) struct Remains(Vec<(PeerId, Arc<dyn Holders>)>);

/// How many are added between two prunings of what is no longer held.
const PRUNE_INTERVAL: usize = 64;

impl Remains {
    pub(super) fn add(&mut self, peer: PeerId, holders: Arc<dyn Holders>) {
        if self.0.len() % PRUNE_INTERVAL == PRUNE_INTERVAL - 1 {
            self.0.retain(|(_, holders)| !holders.holders().is_empty());
        }
        self.0.push((peer, holders));
    }

    pub(super) fn held(&mut self) -> Vec<Held> {
        let mut held = Vec::new();
        self.0.retain(|(peer, holders)| {
            let by = holders.holders();
            let kept = !by.is_empty();
            if kept {
                held.push(Held { peer: peer.clone(), by });
            }
            kept
        });
        held
    }
}
