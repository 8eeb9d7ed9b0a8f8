//! Connections without a network, and who is told of them.

use std::sync::{Arc, Mutex};

use anypeer::monitor::Monitor;
use anypeer::peer::{CloseMode, Connection, ConnectionError};
use anypeer::runtime::BoxFuture;
use anypeer::{Event, GroupId, Observer, PeerId};

/// A connection without a network.
pub(crate) struct Still;

impl Connection for Still {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(std::future::ready(Ok(Some(CloseMode::Graceful))))
    }

    fn is_cooperative(&self) -> bool {
        true
    }
}

/// Keeps who is told of the last peer.
pub(crate) struct Tap {
    monitor: Arc<dyn Observer>,
    pub(crate) told: Mutex<Option<Arc<dyn Observer>>>,
}

impl Tap {
    pub(crate) fn new(monitor: &Monitor) -> Self {
        Self { monitor: monitor.observer(), told: Mutex::default() }
    }
}

impl Observer for Tap {
    fn on_event(&self, event: &Event<'_>) {
        self.monitor.on_event(event);
    }

    fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Option<Arc<dyn Observer>> {
        let told = self.monitor.for_peer(peer, group);
        self.told.lock().unwrap().clone_from(&told);
        told
    }
}
