//! The future of a call on a peer.

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

/// A call on a [`Peer`](super::Peer), as a future of its result.
///
/// The call is reported to observers as one operation, which starts with the first poll of the
/// future.
///
/// ```no_run
/// use anypeer::webrtc::{self, OperationError};
///
/// async fn restart(peer: &webrtc::Peer) -> Result<(), OperationError> {
///     let call = peer.restart_ice();
///     println!("operation {}", call.operation()); // "operation 3fa9c10000000007"
///     call.await
/// }
/// ```
///
/// # Cancel safety
///
/// If the future is dropped before it is ready, the operation is reported as cancelled. What the
/// call has begun on the connection may still take effect.
#[must_use = "a call does nothing unless it is awaited"]
pub struct Call<'a, T> {
    operation: OperationId,
    result: BoxFuture<'a, Result<T, OperationError>>,
}

impl<'a, T: 'a> Call<'a, T> {
    /// Creates a call with this name. Its first poll calls `call` with the connection, if the peer
    /// is still open.
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
                    // The `webrtc` crate parses text of the remote side, and may panic.
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
    /// The operation id of the call, to look the call up in a monitor.
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
