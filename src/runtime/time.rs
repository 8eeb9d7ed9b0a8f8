//! Timers that work on any thread, whatever drives it, or nothing.
//!
//! One queue for all, and one thread, `anypeer-timer`, that fires them. Almost every timer here is
//! dropped before it fires (a close's bound, a driver's next deadline), and nearly none is the
//! earliest: so nearly none wakes that thread, and one that is dropped is only forgotten, not
//! searched for. async-io's timers each wake its reactor, and in a profile of 400 closes at once
//! that was most of what our side of a close took.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use parking::{Parker, Unparker};
use slab::Slab;

use crate::sync::Mutex;

/// Where an alarm waits: its place in [`Waiting::wakers`], and whose that place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    place: usize,
    number: u64,
}

struct Waiting {
    wakers: Slab<(u64, Waker)>,
    /// The earliest first; also of alarms that were dropped.
    queue: BinaryHeap<Reverse<(Instant, Key)>>,
    set: u64,
}

static WAITING: Mutex<Waiting> =
    Mutex::new(Waiting { wakers: Slab::new(), queue: BinaryHeap::new(), set: 0 });

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
    fn take_due(&mut self, now: Instant) -> Result<Waker, Option<Instant>> {
        while let Some(Reverse((at, key))) = self.queue.peek().copied() {
            let known = Self::has(&self.wakers, key);
            if known && at > now {
                return Err(Some(at));
            }
            self.queue.pop();
            if known {
                return Ok(self.wakers.remove(key.place).1);
            }
        }
        Err(None)
    }
}

/// So many alarms that are gone are not worth looking for.
const MAX_GONE: usize = 64;

/// The thread that fires, once it was started.
static THREAD: OnceLock<Unparker> = OnceLock::new();

/// Starts the thread, unless it runs. Not to be called by two at once.
pub(super) fn start() -> io::Result<()> {
    if THREAD.get().is_some() {
        return Ok(());
    }
    let parker = Parker::new();
    let unparker = parker.unparker();
    super::thread::start_thread("anypeer-timer", move || fire(&parker))?;
    // A timer that is set before this is found when the thread is woken for the first time.
    THREAD.get_or_init(|| unparker).unpark();
    Ok(())
}

fn fire(parker: &Parker) -> ! {
    loop {
        let due = WAITING.lock().take_due(Instant::now());
        match due {
            // Of any executor; a panic of one must not end the timers of all.
            Ok(waker) => drop(catch_unwind(AssertUnwindSafe(|| waker.wake()))),
            Err(Some(at)) => drop(parker.park_deadline(at)),
            Err(None) => parker.park(),
        }
    }
}

/// Wakes a waker at an instant, or soon if that is past; unless it is dropped before.
#[derive(Debug)]
pub(crate) struct Alarm(Key);

impl Alarm {
    pub(crate) fn set(at: Instant, waker: Waker) -> Self {
        let (key, earliest) = WAITING.lock().insert(at, waker);
        if earliest && let Some(thread) = THREAD.get() {
            thread.unpark();
        }
        Self(key)
    }

    /// Sets another waker, unless the alarm has gone off.
    fn reset(&self, waker: Waker) {
        let mut waiting = WAITING.lock();
        let replaced = match waiting.wakers.get_mut(self.0.place) {
            Some((number, known)) if *number == self.0.number => std::mem::replace(known, waker),
            _ => waker,
        };
        drop(waiting);
        drop(replaced);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = WAITING.lock().remove(self.0);
        drop(waker);
    }
}

/// Completes at its deadline, on any executor, or on none.
#[derive(Debug)]
pub(crate) struct Sleep {
    deadline: Instant,
    /// Set once it waits.
    alarm: Option<Alarm>,
}

/// Completes after `duration`.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(Instant::now(), duration))
}

/// Completes at `deadline`.
pub(crate) fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, alarm: None }
}

/// `duration` after `start`, or else an instant that nobody will see.
pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(duration).unwrap_or_else(|| start + CENTURY)
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= Instant::now() {
            return Poll::Ready(());
        }
        match &self.alarm {
            Some(alarm) => alarm.reset(cx.waker().clone()),
            None => self.alarm = Some(Alarm::set(self.deadline, cx.waker().clone())),
        }
        Poll::Pending
    }
}

/// The output of `future`, or `None` at `deadline`; a future that is ready by then wins.
pub(crate) async fn by<F: Future + Unpin>(deadline: Instant, future: F) -> Option<F::Output> {
    match select(future, sleep_until(deadline)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
