//! Asking work to stop.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::sync::{Completion, EventListener};

/// Asks any number of tasks to stop; once asked, always asked.
///
/// Clones are the same token. A [`child`](Self::child) is cancelled with its parent, and can be
/// cancelled without it. Dropping a token asks nothing. On any executor, and from any thread.
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
    /// A line of any length, without recursion.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut inner) = parent.and_then(|token| Arc::into_inner(token.inner)) {
            parent = inner.parent.take();
        }
    }
}

impl CancellationToken {
    /// A token that nothing cancels but itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled with this one.
    #[must_use]
    pub fn child(&self) -> Self {
        let inner = Inner { cancelled: Completion::new(), parent: Some(self.clone()) };
        Self { inner: Arc::new(inner) }
    }

    /// Asks whoever has this token, or a child of it, to stop. Never blocks.
    pub fn cancel(&self) {
        self.inner.cancelled.set(());
    }

    /// Whether this token or one above it was cancelled.
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

    /// Runs `future` until it ends or the token is cancelled; `None` if it was cancelled first.
    /// A future that is ready by then wins.
    ///
    /// # Cancel safety
    ///
    /// That of `future`.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut cancelled = std::pin::pin!(self.cancelled());
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => cancelled.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// This token and those above it.
    fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |token| token.inner.parent.as_ref())
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

struct Cancelled {
    token: CancellationToken,
    /// One for each token of the line, once polled.
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
