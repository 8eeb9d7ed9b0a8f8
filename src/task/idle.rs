//! Waiting for a group to have no task left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::books::Books;
use crate::sync::EventListener;

/// Completes when no task is left.
pub(super) struct Idle {
    group: Arc<Books>,
    listener: Option<EventListener>,
}

impl Idle {
    pub(super) fn new(group: Arc<Books>) -> Self {
        Self { group, listener: None }
    }
}

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { group, listener } = self.get_mut();
        loop {
            if group.len() == 0 {
                *listener = None;
                return Poll::Ready(());
            }
            match listener {
                // Before the tasks are counted again.
                None => *listener = Some(group.counted().listen()),
                Some(waiting) => match Pin::new(waiting).poll(cx) {
                    Poll::Ready(()) => *listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}
