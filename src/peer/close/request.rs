//! How a close is asked for.

use std::sync::Arc;

use super::sweep::Sweep;
use crate::close_options::CloseOptions;
use crate::outcome::CloseReason;

/// How a close is asked for.
#[derive(Clone, Copy)]
pub(in crate::peer) struct Request<'a> {
    pub(in crate::peer) reason: CloseReason,
    /// The bounds; those of the peer if there are none.
    pub(in crate::peer) options: Option<CloseOptions>,
    /// The close of many that it is a part of.
    pub(in crate::peer) sweep: Option<&'a Arc<Sweep>>,
    /// Whether to leave out the graceful part.
    pub(in crate::peer) abort: bool,
}

impl From<CloseReason> for Request<'_> {
    fn from(reason: CloseReason) -> Self {
        Self { reason, options: None, sweep: None, abort: false }
    }
}
