//! One call on a peer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::webrtc::error::Error;
use ::webrtc::peer_connection::PeerConnection;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::peer::Peer;
use crate::event::Target;
use crate::id::OperationId;
use crate::operation::Told;

/// Why a call on a peer has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperationError {
    /// The peer is closed.
    Closed,
    /// The `webrtc` crate's own error.
    Webrtc(Error),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer is closed"),
            Self::Webrtc(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OperationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Webrtc(error) => error.source(),
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
/// Dropped before it is ready, it was canceled: what was begun on the connection may still take
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
        F: Future<Output = Result<T, Error>> + Send,
    {
        let operation = OperationId::generate();
        let result = async move {
            let target = Target::Peer(peer.id());
            let told = Told::start_as(operation, &peer.status().watch, name, target);
            let result = match peer.connection() {
                Some(connection) => call(connection).await.map_err(OperationError::from),
                None => Err(OperationError::Closed),
            };
            told.end(&result);
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
