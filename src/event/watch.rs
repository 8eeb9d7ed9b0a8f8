//! The observers of a set, a peer or a task group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::kind::{Event, EventKind};
use super::observer::Observer;
use crate::id::{GroupId, PeerId};
use crate::runtime::Clock;

/// The observers, if there are any, and the clock that dates events. Without observers, no event is
/// built.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    observers: Option<Arc<[Arc<dyn Observer>]>>,
    clock: Clock,
}

impl Watch {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>, clock: Clock) -> Self {
        Self { observers: (!observers.is_empty()).then(|| observers.into()), clock }
    }

    /// The observers of one peer, whose runtime has `clock`.
    pub(crate) fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>, clock: Clock) -> Self {
        let one = |observer: &Arc<dyn Observer>| {
            let chosen = catch_unwind(AssertUnwindSafe(|| observer.for_peer(peer, group)));
            chosen.ok().flatten().unwrap_or_else(|| Arc::clone(observer))
        };
        let observers = self.observers.as_ref();
        Self { observers: observers.map(|observers| observers.iter().map(one).collect()), clock }
    }

    /// Whether there is an observer.
    pub(crate) fn is_attached(&self) -> bool {
        self.observers.is_some()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Reports an event of this instant to every observer. Without observers, `kind` is not called.
    pub(crate) fn tell<'a>(&self, peer: Option<&'a PeerId>, kind: impl FnOnce() -> EventKind<'a>) {
        if self.is_attached() {
            self.tell_at(self.clock.now(), peer, kind);
        }
    }

    /// Reports an event of the instant `at` to every observer.
    pub(crate) fn tell_at<'a>(
        &self,
        at: Instant,
        peer: Option<&'a PeerId>,
        kind: impl FnOnce() -> EventKind<'a>,
    ) {
        if let Some(observers) = &self.observers {
            let event = Event { peer, at, clock: &self.clock, kind: kind() };
            for observer in &**observers {
                let _ignored = catch_unwind(AssertUnwindSafe(|| observer.on_event(&event)));
            }
        }
    }
}
