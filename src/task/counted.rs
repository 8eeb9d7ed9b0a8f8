//! Tasks that are counted, no more.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::books::Books;

/// One task of a group's, until it is dropped.
pub(super) struct Counted(Arc<Books>);

impl Counted {
    #[inline]
    pub(super) fn new(group: &Arc<Books>) -> Option<Self> {
        let taken = group.count();
        let counted = Self(Arc::clone(group));
        taken.then_some(counted)
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        self.0.uncount();
    }
}

pin_project! {
    /// A future that is counted until it is dropped.
    pub(super) struct Tracked<F> {
        #[pin]
        pub(super) future: F,
        pub(super) _counted: Counted,
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
