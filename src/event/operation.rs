//! The targets and the ends of operations.

use std::error::Error;

use crate::id::PeerId;

/// The target of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// A peer.
    Peer(&'a PeerId),
    /// An unknown peer: the text that was passed as its id.
    UnknownPeer(&'a str),
    /// A group: the text that was passed as its id.
    Group(&'a str),
    /// All peers of a set.
    All,
}

impl<'a> Target<'a> {
    /// The peer, if the target is a single known peer.
    #[must_use]
    pub const fn peer(self) -> Option<&'a PeerId> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::UnknownPeer(_) | Self::Group(_) | Self::All => None,
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OperationEnd<'a> {
    /// The operation completed. After a close, the text says what was closed, as in
    /// `closed, graceful` or `3 of 3 closed`. The text is `None` for any other operation, and for a
    /// close of a peer that had ended before.
    Completed(Option<&'a str>),
    /// The operation failed, with this error, whose chain of [sources](Error::source) names the
    /// cause.
    Failed(&'a (dyn Error + 'static)),
    /// The operation was cancelled: its future was dropped before it was ready.
    Cancelled,
}
