//! The alarm of a peer, which several timers share.
//!
//! A peer waits for up to three instants at once: the next look of the reaper, the end of a
//! callback's budget, and the end of a close's grace period. Almost all of these timers are cleared
//! before they fire. They share one alarm of the clock, which is set for the earliest of them, and
//! is left as it is when that timer is cleared. So most timers are set and cleared without touching
//! the clock's queue, whose lock all peers share.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::runtime::Clock;
use crate::runtime::clock::Alarm;
use crate::sync::Mutex;

/// The timers of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The reaper's next look.
    Look,
    /// The end of a callback's budget.
    #[cfg(feature = "webrtc")]
    Budget,
    /// The end of a close's grace period.
    Grace,
}

/// The number of timers in [`Due`].
const KINDS: usize = 3;

/// The timers of one peer, over one alarm of the clock.
pub(crate) struct PeerAlarm {
    clock: Clock,
    this: Weak<Self>,
    pending: Mutex<Pending>,
}

/// The timers that are set, and the alarm that serves them.
#[derive(Default)]
struct Pending {
    /// The timers that are set, by [`Due::index`].
    due: [Option<(Instant, Waker)>; KINDS],
    /// The alarm of the clock, and the instant that it is set for.
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

    /// Sets a timer, which wakes `waker` at `at`. It replaces the timer that was set for `due`
    /// before.
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

    /// Clears a timer. Its waker is not woken.
    pub(crate) fn clear(&self, due: Due) {
        let cleared = self.pending.lock().due[due.index()].take();
        drop(cleared);
    }

    /// Sets the clock's alarm. The lock is not held meanwhile, since a manual clock may fire the
    /// alarm within this call.
    fn arm(&self, at: Instant) {
        let Some(this) = self.this.upgrade() else { return };
        let alarm = self.clock.alarm(at, Waker::from(Arc::new(Bell(Arc::downgrade(&this)))));
        let mut pending = self.pending.lock();
        let earlier = pending.alarm.as_ref().is_some_and(|(set, _)| *set <= at);
        let unused = if earlier { Some((at, alarm)) } else { pending.alarm.replace((at, alarm)) };
        drop(pending);
        drop(unused);
        // The alarm may have fired before it was stored. It would then look like an alarm that is
        // still pending, and no timer of the peer would fire any more.
        if at <= self.clock.now() {
            self.ring();
        }
    }

    /// Wakes the timers that are due, and sets the alarm for the next one.
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

/// The waker of the clock's alarm. It does not keep the peer alive.
struct Bell(Weak<PeerAlarm>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(alarm) = self.0.upgrade() {
            alarm.ring();
        }
    }
}
