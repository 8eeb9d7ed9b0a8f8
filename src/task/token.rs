//! `CancellationToken`: asks tasks to stop.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::sync::{Completion, EventListener};

/// A token that asks any number of tasks to stop, like the `CancellationToken` of tokio-util.
///
/// A cancelled token stays cancelled. Clones refer to the same token. A [`child`](Self::child) is
/// cancelled together with its parent, and can also be cancelled alone. Dropping a token does not
/// cancel it. A token works on any executor, and can be used from any thread.
///
/// ```
/// use anypeer::task::CancellationToken;
///
/// let server = CancellationToken::new();
/// let request = server.child();
/// request.cancel();
/// assert!(request.is_cancelled() && !server.is_cancelled());
/// server.cancel();
/// assert!(server.child().is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancellationToken {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: Completion<()>,
    parent: Option<CancellationToken>,
}

impl Drop for Inner {
    /// Drops a chain of parents in a loop, since recursion could overflow the stack.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut inner) = parent.and_then(|token| Arc::into_inner(token.inner)) {
            parent = inner.parent.take();
        }
    }
}

impl CancellationToken {
    /// Returns a new token without a parent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a new token that is cancelled when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        let inner = Inner { cancelled: Completion::new(), parent: Some(self.clone()) };
        Self { inner: Arc::new(inner) }
    }

    /// Cancels this token and all of its children. This does not block.
    pub fn cancel(&self) {
        self.inner.cancelled.set(());
    }

    /// Returns whether this token, or a parent of it, was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.line().any(|token| token.inner.cancelled.get().is_some())
    }

    /// Completes when the token is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        Cancelled { token: self.clone(), listeners: Vec::new() }
    }

    /// Runs `future` until it is ready, or until the token is cancelled, and returns its output, or
    /// `None` if the token was cancelled first. If both are ready in the same poll, the output is
    /// returned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if `future` is cancel safe.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut cancelled = std::pin::pin!(self.cancelled());
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => cancelled.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Returns this token, its parent, the parent's parent, and so on.
    fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |token| token.inner.parent.as_ref())
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// The future that [`CancellationToken::cancelled`] returns.
struct Cancelled {
    token: CancellationToken,
    /// A listener for the token and each of its parents, once the future was polled.
    listeners: Vec<Option<EventListener>>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { token, listeners } = self.get_mut();
        for (depth, token) in token.line().enumerate() {
            if listeners.len() == depth {
                listeners.push(None);
            }
            if token.inner.cancelled.poll(&mut listeners[depth], cx).is_ready() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_hundred_thousand_children_is_dropped_without_recursion() {
        let root = CancellationToken::new();
        let mut last = root.child();
        for _ in 0..100_000 {
            last = last.child();
        }
        root.cancel();
        assert!(last.is_cancelled(), "expected the last to be cancelled with the first");
        drop(root);
        drop(last);
    }
}
