//! Timers that work on any thread, whatever drives it, or nothing.
//!
//! One queue for all, and one thread, `anypeer-timer`, that fires them. Almost every timer here is
//! dropped before it fires (a close's bound, a driver's next deadline), and nearly none is the
//! earliest, so nearly none wakes that thread. async-io's timers each wake its reactor, and in a
//! profile of 400 closes at once that was most of what our side of a close took.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use parking::{Parker, Unparker};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// When a timer fires, and its place among those of the same instant.
type Key = (Instant, u64);

static WAITING: Mutex<BTreeMap<Key, Waker>> = Mutex::new(BTreeMap::new());

/// The thread that fires, once it was started.
static THREAD: OnceLock<Unparker> = OnceLock::new();

/// Starts the thread, unless it runs. Not to be called by two at once.
pub(super) fn start() -> io::Result<()> {
    if THREAD.get().is_some() {
        return Ok(());
    }
    let parker = Parker::new();
    let unparker = parker.unparker();
    super::background::start_thread("anypeer-timer", move || fire(&parker))?;
    // A timer that is set before this is found when the thread is woken for the first time.
    THREAD.get_or_init(|| unparker).unpark();
    Ok(())
}

fn fire(parker: &Parker) -> ! {
    loop {
        let (due, next) = {
            let mut waiting = WAITING.lock();
            let later = waiting.split_off(&(Instant::now(), u64::MAX));
            let due = std::mem::replace(&mut *waiting, later);
            (due, waiting.keys().next().map(|(at, _)| *at))
        };
        for waker in due.into_values() {
            // Of any executor; a panic of one must not end the timers of all.
            let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        match next {
            Some(at) => drop(parker.park_deadline(at)),
            None => parker.park(),
        }
    }
}

/// Wakes a waker at an instant, or soon if that is past; unless it is dropped before.
#[derive(Debug)]
pub(crate) struct Alarm(Key);

impl Alarm {
    pub(crate) fn set(at: Instant, waker: Waker) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let alarm = Self((at, IDS.fetch_add(1, Ordering::Relaxed)));
        alarm.reset(waker);
        alarm
    }

    fn reset(&self, waker: Waker) {
        let mut waiting = WAITING.lock();
        let replaced = waiting.insert(self.0, waker);
        let earliest = waiting.keys().next() == Some(&self.0);
        drop(waiting);
        drop(replaced);
        if earliest && let Some(thread) = THREAD.get() {
            thread.unpark();
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = WAITING.lock().remove(&self.0);
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
#[cfg(feature = "webrtc")]
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
