//! The part of a peer that every module needs which reports events of the peer.

use std::sync::Arc;

use super::alarm::PeerAlarm;
use super::life::Life;
use crate::event::{EventKind, Watch};
use crate::id::{GroupId, PeerId};
use crate::probe::{Retention, Traces};
use crate::runtime::Clock;
use crate::sync::{Event, OnceLock};

/// The identity of a peer, its observers, its clock and its alarm.
pub(crate) struct Status {
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(crate) watch: Watch,
    pub(crate) alarm: Arc<PeerAlarm>,
    /// Notified when a state of the connection has changed.
    pub(crate) changed: Event,
    pub(super) life: Arc<Life>,
    /// The number of the set that the peer belongs to.
    #[cfg(feature = "test-util")]
    pub(super) set: u64,
    /// Tells what the application still holds of the connection. Set when the peer is closed.
    pub(super) retention: OnceLock<Arc<dyn Retention>>,
}

impl Status {
    pub(super) fn new(
        id: PeerId,
        group: Option<GroupId>,
        watch: &Watch,
        clock: Clock,
        #[cfg(feature = "test-util")] set: u64,
    ) -> Self {
        Self {
            life: Arc::new(Life::new(id.clone())),
            alarm: PeerAlarm::new(clock.clone()),
            watch: watch.for_peer(&id, group.as_ref(), clock),
            id,
            group,
            changed: Event::new(),
            #[cfg(feature = "test-util")]
            set,
            retention: OnceLock::new(),
        }
    }

    /// The clock of the peer's runtime.
    pub(crate) fn clock(&self) -> &Clock {
        self.watch.clock()
    }

    /// Reports an event of the peer to the observers. Without observers, `kind` is not called.
    pub(crate) fn tell<'a>(&'a self, kind: impl FnOnce() -> EventKind<'a>) {
        self.watch.tell(Some(&self.id), kind);
    }
}

impl Traces for Status {
    fn retention(&self) -> Option<Arc<dyn Retention>> {
        self.retention.get().cloned()
    }
}
