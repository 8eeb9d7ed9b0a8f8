//! One call on a peer.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::webrtc::error::Error;
use ::webrtc::peer_connection::PeerConnection;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::peer::Peer;
use crate::event::{OperationGuard, Target};
use crate::id::OperationId;
use crate::runtime::{JoinError, panicked};

/// Why a call on a peer has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperationError {
    /// The peer is closed.
    Closed,
    /// The peer's connection is still being built.
    NotBuilt,
    /// Both sides have made an offer at the same time: a remote offer came while a local one waits
    /// for its answer.
    ///
    /// The way out is that of W3C's "perfect negotiation". The sides agree beforehand which of them
    /// is polite. The impolite side ignores the remote offer, and waits for the answer to its own.
    /// The polite side takes its own offer back and answers, and offers again afterwards if it still
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
    /// Candidates came before the remote description, and more of them than are queued:
    /// [`MAX_QUEUED_CANDIDATES`](super::MAX_QUEUED_CANDIDATES).
    TooManyCandidates,
    /// The `webrtc` crate panicked, with this message.
    Panicked(String),
    /// The `webrtc` crate's own error.
    Webrtc(Error),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer is closed"),
            Self::NotBuilt => f.write_str("the connection is still being built"),
            Self::Glare => f.write_str("both sides have made an offer"),
            Self::TooManyCandidates => {
                f.write_str("too many candidates came before the remote description")
            }
            Self::Panicked(message) => write!(f, "the connection panicked: {message}"),
            Self::Webrtc(_) => f.write_str("the connection refused the call"),
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
    fn panicked(payload: Box<dyn Any + Send>) -> Self {
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

/// A call on a [`Peer`]: a future of its result, told to the observer as one operation, from its
/// first poll to its one end.
///
/// Dropped before it is ready, it is told as cancelled: what was begun on the connection may still take
/// effect.
#[must_use = "a call does nothing unless it is awaited"]
pub struct Call<'a, T> {
    operation: OperationId,
    result: BoxFuture<'a, Result<T, OperationError>>,
}

impl<'a, T: 'a> Call<'a, T> {
    /// A call named `name` on the peer's connection, if it is still open by then.
    pub(super) fn new<F>(
        peer: &'a Peer,
        name: &'static str,
        call: impl FnOnce(Arc<dyn PeerConnection>) -> F + Send + 'a,
    ) -> Self
    where
        F: Future<Output = Result<T, OperationError>> + Send,
    {
        let operation = OperationId::generate();
        let result = async move {
            let target = Target::Peer(peer.id());
            let guard = OperationGuard::start_as(operation, &peer.status().watch, name, target);
            let result = match peer.linked() {
                Ok(connection) => {
                    // Anybody's text is parsed there.
                    let called = AssertUnwindSafe(call(connection)).catch_unwind().await;
                    called.unwrap_or_else(|payload| Err(OperationError::panicked(payload)))
                }
                Err(error) => Err(error),
            };
            guard.end(&result);
            result
        };
        Self { operation, result: result.boxed() }
    }
}

impl<T> Call<'_, T> {
    /// The operation that the call is, for whoever looks it up in a monitor.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }
}

impl<T> Future for Call<'_, T> {
    type Output = Result<T, OperationError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.result.poll_unpin(cx)
    }
}

impl<T> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation).finish_non_exhaustive()
    }
}
