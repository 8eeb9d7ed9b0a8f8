//! The error of a call on a peer.

use std::any::Any;
use std::fmt;

use ::webrtc::error::Error;

use crate::runtime::{JoinError, panicked};

/// The reason why a call on a peer failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperationError {
    /// The peer is closed.
    Closed,
    /// The peer's connection is still being built.
    NotBuilt,
    /// Both sides have made an offer at the same time: a remote offer arrived while a local offer
    /// was waiting for its answer.
    ///
    /// The solution is W3C's "perfect negotiation". The sides agree beforehand which of them is
    /// polite. The impolite side ignores the remote offer, and waits for the answer to its own. The
    /// polite side rolls its own offer back and answers, and offers again afterwards if it still
    /// has something to offer:
    ///
    /// ```no_run
    /// use anypeer::webrtc::peer_connection::RTCSessionDescription;
    /// use anypeer::webrtc::{self, Candidates, OperationError};
    ///
    /// async fn answer_politely(
    ///     peer: &webrtc::Peer,
    ///     offer: RTCSessionDescription,
    /// ) -> Result<RTCSessionDescription, OperationError> {
    ///     match webrtc::answer(peer, offer.clone(), Candidates::Trickle).await {
    ///         Err(OperationError::Glare) => {
    ///             peer.set_local_description(RTCSessionDescription::rollback(None)?).await?;
    ///             webrtc::answer(peer, offer, Candidates::Trickle).await
    ///         }
    ///         answered => answered,
    ///     }
    /// }
    /// ```
    Glare,
    /// More candidates than [`MAX_QUEUED_CANDIDATES`](super::MAX_QUEUED_CANDIDATES) arrived before
    /// the remote description.
    TooManyCandidates,
    /// The `webrtc` crate panicked, with this message.
    Panicked(String),
    /// The `webrtc` crate returned an error. The text of that error is in the
    /// [source](std::error::Error::source), which `{}` does not print, so print the chain of
    /// sources in logs and responses.
    Webrtc(Error),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer is closed"),
            Self::NotBuilt => f.write_str("the connection is still being built"),
            Self::Glare => f.write_str("both sides have made an offer"),
            Self::TooManyCandidates => {
                f.write_str("too many candidates arrived before the remote description")
            }
            Self::Panicked(message) => write!(f, "the connection panicked: {message}"),
            Self::Webrtc(_) => f.write_str("the webrtc crate refused the call"),
        }
    }
}

impl std::error::Error for OperationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed
            | Self::NotBuilt
            | Self::Glare
            | Self::TooManyCandidates
            | Self::Panicked(_) => None,
            Self::Webrtc(error) => Some(error),
        }
    }
}

impl OperationError {
    /// The error for a caught panic.
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Self {
        match panicked(payload) {
            JoinError::Panicked(message) => Self::Panicked(message),
            error => Self::Panicked(error.to_string()),
        }
    }
}

impl From<Error> for OperationError {
    fn from(error: Error) -> Self {
        Self::Webrtc(error)
    }
}
