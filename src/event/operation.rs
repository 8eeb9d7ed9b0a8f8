//! What an operation is done to, and how it ended.

use std::error::Error;

use crate::id::PeerId;

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// A peer.
    Peer(&'a PeerId),
    /// A peer that there is not: the text that was taken for its id.
    UnknownPeer(&'a str),
    /// A group: the text that was taken for its id.
    Group(&'a str),
    /// All peers of a set.
    All,
}

impl<'a> Target<'a> {
    /// The peer, if the operation is done to one that exists.
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
    /// With a result; in words, for a close.
    Completed(Option<&'a str>),
    /// With an error, whose [sources](Error::source) say why.
    Failed(&'a (dyn Error + 'static)),
    /// Its future was dropped before it was ready.
    Cancelled,
}
