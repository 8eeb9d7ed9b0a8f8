//! The queue of a clock's alarms.
//!
//! Almost every alarm is dropped before it is due (the timeout of a close, for instance, or the
//! next deadline of a driver), and hardly any is the earliest. Dropping an alarm therefore removes
//! only its waker; its entry in the queue is skipped, or removed together with others, later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use crate::sync::Mutex;

/// Identifies an alarm: its index in [`Waiting::wakers`], and its number, since indices are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    place: usize,
    number: u64,
}

/// The alarms of a clock.
pub(super) struct Timers(Mutex<Waiting>);

struct Waiting {
    wakers: Slab<(u64, Waker)>,
    /// The times of alarms, the earliest first. It may contain alarms that were dropped.
    queue: BinaryHeap<Reverse<(Instant, Key)>>,
    /// The number of alarms that were ever set.
    set: u64,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Waiting { wakers: Slab::new(), queue: BinaryHeap::new(), set: 0 }))
    }

    /// Adds an alarm. Returns its key, and whether it is the earliest.
    pub(super) fn insert(&self, at: Instant, waker: Waker) -> (Key, bool) {
        self.0.lock().insert(at, waker)
    }

    /// Replaces the waker of an alarm, unless the alarm was fired.
    pub(super) fn replace(&self, key: Key, waker: Waker) {
        let mut waiting = self.0.lock();
        let replaced = match waiting.wakers.get_mut(key.place) {
            Some((number, known)) if *number == key.number => std::mem::replace(known, waker),
            _ => waker,
        };
        // Dropping a waker runs the code of its executor, which must not run under the lock.
        drop(waiting);
        drop(replaced);
    }

    /// Removes an alarm, if it was not fired.
    pub(super) fn remove(&self, key: Key) {
        let waker = self.0.lock().remove(key);
        drop(waker);
    }

    /// Removes and returns the earliest alarm if it is due at `now`. Otherwise returns when the
    /// earliest alarm is due, if there is one.
    pub(super) fn take_due(&self, now: Instant) -> Result<(Instant, Waker), Option<Instant>> {
        self.0.lock().take_due(now)
    }
}

impl Waiting {
    /// Whether the alarm was neither fired nor dropped.
    fn has(wakers: &Slab<(u64, Waker)>, key: Key) -> bool {
        wakers.get(key.place).is_some_and(|(number, _)| *number == key.number)
    }

    /// Adds an alarm. Returns its key, and whether it is the earliest.
    fn insert(&mut self, at: Instant, waker: Waker) -> (Key, bool) {
        self.set += 1;
        let key = Key { number: self.set, place: self.wakers.insert((self.set, waker)) };
        self.queue.push(Reverse((at, key)));
        (key, self.queue.peek().is_some_and(|Reverse((_, earliest))| *earliest == key))
    }

    fn remove(&mut self, key: Key) -> Option<Waker> {
        let known = Self::has(&self.wakers, key);
        let waker = known.then(|| self.wakers.remove(key.place).1);
        // Limits the entries of dropped alarms to those of live ones, plus a constant.
        if self.queue.len() > 2 * self.wakers.len() + MAX_GONE {
            self.queue.retain(|Reverse((_, key))| Self::has(&self.wakers, *key));
        }
        waker
    }

    /// See [`Timers::take_due`].
    fn take_due(&mut self, now: Instant) -> Result<(Instant, Waker), Option<Instant>> {
        while let Some(Reverse((at, key))) = self.queue.peek().copied() {
            let known = Self::has(&self.wakers, key);
            if known && at > now {
                return Err(Some(at));
            }
            self.queue.pop();
            if known {
                return Ok((at, self.wakers.remove(key.place).1));
            }
        }
        Err(None)
    }
}

/// The queue is not cleaned up for fewer entries of dropped alarms than this.
const MAX_GONE: usize = 64;
