//! A queue of alarms.
//!
//! Almost every alarm is dropped before it is due (a close's bound, a driver's next deadline), and
//! nearly none is the earliest. An alarm that is dropped is therefore only forgotten, and not
//! searched for in the queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use crate::sync::Mutex;

/// Where an alarm waits: its place in [`Waiting::wakers`], and whose that place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    place: usize,
    number: u64,
}

pub(super) struct Timers(Mutex<Waiting>);

struct Waiting {
    wakers: Slab<(u64, Waker)>,
    /// The earliest first; also of alarms that were dropped.
    queue: BinaryHeap<Reverse<(Instant, Key)>>,
    set: u64,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Waiting { wakers: Slab::new(), queue: BinaryHeap::new(), set: 0 }))
    }

    /// Adds an alarm; says whether it is the earliest.
    pub(super) fn insert(&self, at: Instant, waker: Waker) -> (Key, bool) {
        self.0.lock().insert(at, waker)
    }

    /// Gives an alarm another waker, unless it has gone off.
    pub(super) fn replace(&self, key: Key, waker: Waker) {
        let mut waiting = self.0.lock();
        let replaced = match waiting.wakers.get_mut(key.place) {
            Some((number, known)) if *number == key.number => std::mem::replace(known, waker),
            _ => waker,
        };
        // The waker is its executor's code, which must not run under the lock.
        drop(waiting);
        drop(replaced);
    }

    pub(super) fn remove(&self, key: Key) {
        let waker = self.0.lock().remove(key);
        drop(waker);
    }

    /// Takes the earliest alarm, if it is due at `now`; or else says when it is.
    pub(super) fn take_due(&self, now: Instant) -> Result<(Instant, Waker), Option<Instant>> {
        self.0.lock().take_due(now)
    }
}

impl Waiting {
    fn has(wakers: &Slab<(u64, Waker)>, key: Key) -> bool {
        wakers.get(key.place).is_some_and(|(number, _)| *number == key.number)
    }

    /// Adds an alarm; says whether it is the earliest.
    fn insert(&mut self, at: Instant, waker: Waker) -> (Key, bool) {
        self.set += 1;
        let key = Key { number: self.set, place: self.wakers.insert((self.set, waker)) };
        self.queue.push(Reverse((at, key)));
        (key, self.queue.peek().is_some_and(|Reverse((_, earliest))| *earliest == key))
    }

    fn remove(&mut self, key: Key) -> Option<Waker> {
        let known = Self::has(&self.wakers, key);
        let waker = known.then(|| self.wakers.remove(key.place).1);
        // Half of the queue at most is of alarms that are gone.
        if self.queue.len() > 2 * self.wakers.len() + MAX_GONE {
            self.queue.retain(|Reverse((_, key))| Self::has(&self.wakers, *key));
        }
        waker
    }

    /// Takes the earliest alarm, if it is due; or else says when it is.
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

/// So many alarms that are gone are not worth looking for.
const MAX_GONE: usize = 64;
