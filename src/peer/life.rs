//! Who a peer is, and how its life ended: all that a reference to it needs that owns nothing.

use crate::id::PeerId;
use crate::outcome::{CloseMode, CloseReason};
use crate::sync::Completion;

/// How a peer's life ended.
#[derive(Clone)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    /// `None` where the end cannot be seen.
    pub(super) mode: Option<CloseMode>,
}

pub(super) struct Life {
    pub(super) id: PeerId,
    /// The end, from when the observer was told of it: whoever waits for the end waits for this.
    pub(super) ended: Completion<End>,
}

impl Life {
    pub(super) fn new(id: PeerId) -> Self {
        Self { id, ended: Completion::new() }
    }
}
