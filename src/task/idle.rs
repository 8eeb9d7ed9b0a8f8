//! Waits until a group has no tasks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::books::Books;
use crate::sync::EventListener;

/// A future that completes when the group has no tasks.
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
                // The listener is made before the tasks are counted again, so that no end is
                // missed.
                None => *listener = Some(group.counted().listen()),
                Some(waiting) => match Pin::new(waiting).poll(cx) {
                    Poll::Ready(()) => *listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}
