//! Stands in for `event-listener` in a model: that one wakes tasks under a lock which loom does not
//! know.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::sync::Mutex;

/// Wakes all that listen.
#[derive(Debug)]
pub(crate) struct Event(Mutex<Vec<Arc<Mutex<Listener>>>>);

#[derive(Debug, Default)]
struct Listener {
    notified: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(crate) struct EventListener(Arc<Mutex<Listener>>);

impl Event {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn listen(&self) -> EventListener {
        let listener = Arc::new(Mutex::new(Listener::default()));
        self.0.lock().unwrap().push(Arc::clone(&listener));
        EventListener(listener)
    }

    pub(crate) fn notify(&self, _all: usize) {
        let listeners = std::mem::take(&mut *self.0.lock().unwrap());
        for listener in listeners {
            let mut listener = listener.lock().unwrap();
            listener.notified = true;
            let waker = listener.waker.take();
            drop(listener);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Future for EventListener {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut listener = self.0.lock().unwrap();
        if listener.notified {
            return Poll::Ready(());
        }
        listener.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
