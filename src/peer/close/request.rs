//! The parameters of a close.

use std::sync::Arc;

use super::sweep::Sweep;
use crate::close_options::CloseOptions;
use crate::outcome::CloseReason;

/// The parameters of a close.
#[derive(Clone, Copy)]
pub(in crate::peer) struct Request<'a> {
    pub(in crate::peer) reason: CloseReason,
    /// The bounds; `None` for the bounds of the peer.
    pub(in crate::peer) options: Option<CloseOptions>,
    /// The close of several peers that this close is a part of.
    pub(in crate::peer) sweep: Option<&'a Arc<Sweep>>,
    /// Whether to force the close at once.
    pub(in crate::peer) abort: bool,
}

impl From<CloseReason> for Request<'_> {
    fn from(reason: CloseReason) -> Self {
        Self { reason, options: None, sweep: None, abort: false }
    }
}
