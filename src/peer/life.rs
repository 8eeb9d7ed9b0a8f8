//! The id and the end of a peer, which is all that a [`WeakPeer`](crate::WeakPeer) needs.

use crate::id::PeerId;
use crate::outcome::{CloseMode, CloseReason};
use crate::sync::Completion;

/// How a peer's life ended.
#[derive(Clone)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    /// `None` if the end could not be observed.
    pub(super) mode: Option<CloseMode>,
}

/// The part of a peer that outlives its record.
pub(super) struct Life {
    pub(super) id: PeerId,
    /// The end of the peer. It is set after the observers were told, so a task that awaits it finds
    /// the observers informed.
    pub(super) ended: Completion<End>,
}

impl Life {
    pub(super) fn new(id: PeerId) -> Self {
        Self { id, ended: Completion::new() }
    }
}
