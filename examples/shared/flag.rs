//! Something that happens once.

use std::sync::atomic::{AtomicBool, Ordering};

use event_listener::Event;

/// Something that happens once, and that tasks wait for.
#[derive(Default)]
pub(crate) struct Flag {
    raised: AtomicBool,
    event: Event,
}

impl Flag {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    pub(crate) async fn wait(&self) {
        while !self.raised.load(Ordering::Acquire) {
            let listener = self.event.listen();
            if !self.raised.load(Ordering::Acquire) {
                listener.await;
            }
        }
    }
}
