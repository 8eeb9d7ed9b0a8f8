//! The one alarm of a peer.
//!
//! A peer waits for several instants at once: the next look of the reaper, the end of a callback's
//! budget, the end of a close's grace period. Almost all of them are taken back before they come.
//! They share one alarm of the clock, which is set for the earliest and left alone when that is
//! taken back: so setting and taking back hardly ever reaches the clock's queue.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::runtime::Clock;
use crate::runtime::clock::Alarm;
use crate::sync::Mutex;

/// What a peer can be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The reaper's next look.
    Look,
    /// A callback's budget.
    #[cfg(feature = "webrtc")]
    Budget,
    /// The end of a close's grace period.
    Grace,
}

const KINDS: usize = 3;

pub(crate) struct PeerAlarm {
    clock: Clock,
    this: Weak<Self>,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    due: [Option<(Instant, Waker)>; KINDS],
    alarm: Option<(Instant, Alarm)>,
}

impl Due {
    fn index(self) -> usize {
        match self {
            Self::Look => 0,
            #[cfg(feature = "webrtc")]
            Self::Budget => 1,
            Self::Grace => 2,
        }
    }
}

impl PeerAlarm {
    pub(super) fn new(clock: Clock) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { clock, this: Weak::clone(this), pending: Mutex::default() })
    }

    /// Wakes `waker` at `at`, in place of what was set for the same purpose before.
    pub(crate) fn set(&self, due: Due, at: Instant, waker: Waker) {
        let mut pending = self.pending.lock();
        let replaced = pending.due[due.index()].replace((at, waker));
        let is_earliest = pending.alarm.as_ref().is_none_or(|(set, _)| at < *set);
        drop(pending);
        drop(replaced);
        if is_earliest {
            self.arm(at);
        }
    }

    /// Takes back what was set.
    pub(crate) fn clear(&self, due: Due) {
        let cleared = self.pending.lock().due[due.index()].take();
        drop(cleared);
    }

    /// Sets the clock's alarm, without the lock: a clock that is turned by hand may fire at once.
    fn arm(&self, at: Instant) {
        let Some(this) = self.this.upgrade() else { return };
        let alarm = self.clock.alarm(at, Waker::from(Arc::new(Bell(Arc::downgrade(&this)))));
        let mut pending = self.pending.lock();
        let earlier = pending.alarm.as_ref().is_some_and(|(set, _)| *set <= at);
        let unused = if earlier { Some((at, alarm)) } else { pending.alarm.replace((at, alarm)) };
        drop(pending);
        drop(unused);
        // It may have gone off before it was kept, and would then be taken for one that is to come.
        if at <= self.clock.now() {
            self.ring();
        }
    }

    fn ring(&self) {
        let now = self.clock.now();
        let mut pending = self.pending.lock();
        let gone_off = pending.alarm.take();
        let mut due = [const { None }; KINDS];
        for (slot, due) in pending.due.iter_mut().zip(&mut due) {
            *due = slot.take_if(|(at, _)| *at <= now).map(|(_, waker)| waker);
        }
        let next = pending.due.iter().flatten().map(|(at, _)| *at).min();
        drop(pending);
        drop(gone_off);
        due.into_iter().flatten().for_each(Waker::wake);
        if let Some(next) = next {
            self.arm(next);
        }
    }
}

/// Woken by the clock. It keeps nothing of the peer.
struct Bell(Weak<PeerAlarm>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(alarm) = self.0.upgrade() {
            alarm.ring();
        }
    }
}
