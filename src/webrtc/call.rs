//! One call on a peer.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::webrtc::peer_connection::PeerConnection;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::link::Link;
use super::operation_error::OperationError;
use crate::event::{OperationGuard, Target};
use crate::id::OperationId;
use crate::peer::Status;

/// A call on a [`Peer`](super::Peer): a future of its result, told to the observer as one operation, from its
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
        status: &'a Status,
        link: &'a Link,
        name: &'static str,
        call: impl FnOnce(Arc<dyn PeerConnection>) -> F + Send + 'a,
    ) -> Self
    where
        F: Future<Output = Result<T, OperationError>> + Send,
    {
        let operation = OperationId::generate();
        let result = async move {
            let target = Target::Peer(&status.id);
            let guard = OperationGuard::start_as(operation, &status.watch, name, target);
            let result = match link.connection() {
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
