//! The receivers of what happens, in addition to the monitor's own records.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::feed::{Feed, Updates};
use super::sink::Sink;
use super::span;
use super::update::{UpdateId, UpdateKind};
use crate::id::{GroupId, PeerId};
use crate::monitor::report::{OperationInfo, TimelineEvent};

/// The receivers: a log, subscribers of `tracing`, and streams of updates.
///
/// They are never called under a lock, since subscribers are foreign code.
pub(crate) struct Outlets {
    sink: Option<Arc<dyn Sink>>,
    /// Made when the first stream of updates is made.
    feed: OnceLock<Arc<Feed>>,
    updates: usize,
}

impl Outlets {
    pub(crate) fn new(sink: Option<Arc<dyn Sink>>, updates: usize) -> Self {
        Self { sink, feed: OnceLock::new(), updates }
    }

    pub(crate) fn sink(&self) -> Option<&Arc<dyn Sink>> {
        self.sink.as_ref()
    }

    /// Whether there is a receiver of events of connections.
    #[inline]
    pub(crate) fn take_events(&self) -> bool {
        self.take_operations() || span::is_enabled()
    }

    /// Whether there is a receiver of operations, other than their spans.
    #[inline]
    pub(crate) fn take_operations(&self) -> bool {
        self.sink.is_some() || self.feed.get().is_some()
    }

    /// Passes on an event of a connection.
    pub(crate) fn event(
        &self,
        number: u64,
        peer: &PeerId,
        group: Option<&GroupId>,
        at: SystemTime,
        event: &TimelineEvent,
    ) {
        span::event(peer, event);
        if let Some(sink) = &self.sink {
            sink.event(peer, at, event);
        }
        if let Some(feed) = self.feed.get() {
            let (peer, group, event) = (peer.clone(), group.cloned(), event.clone());
            feed.push(UpdateKind::Connection { number, peer, group, at, event });
        }
    }

    /// Passes on the start of an operation, which only streams of updates receive.
    #[inline]
    pub(crate) fn operation_started(&self, info: impl FnOnce() -> OperationInfo) {
        if let Some(feed) = self.feed.get() {
            feed.push(UpdateKind::OperationStarted(info()));
        }
    }

    /// Passes on the end of an operation.
    pub(crate) fn operation_ended(&self, info: OperationInfo) {
        if let Some(sink) = &self.sink {
            sink.operation(info.clone());
        }
        if let Some(feed) = self.feed.get() {
            feed.push(UpdateKind::OperationEnded(info));
        }
    }

    /// Makes a stream of updates.
    pub(crate) fn follow(&self, after: Option<UpdateId>) -> Updates {
        let feed = self.feed.get_or_init(|| Arc::new(Feed::new(self.updates)));
        Updates::new(Arc::clone(feed), after)
    }
}
