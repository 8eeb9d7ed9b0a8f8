//! The clock of a runtime, and its alarms.
//!
//! Alarms do not need an executor. Those of the system clock are fired by one thread,
//! `anypeer-timer`, which is woken only when an alarm becomes the earliest one. async-io's timers
//! are not used, because each of them wakes the reactor: in a profile of 400 concurrent closes,
//! these wake-ups took most of the time that anypeer spent on a close.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use parking::{Parker, Unparker};

use super::timers::{Key, Timers};
use crate::sync::Mutex;

/// The clock by which everything about a peer is measured: the timeouts and grace periods of its
/// closes, the timeouts of its tasks, the budgets of its callbacks, the limits of the reaper, and
/// the times of its events.
///
/// Each runtime has a clock ([`Spawner::clock`](super::Spawner::clock)), which is the system's
/// monotonic clock by default. For tests, `test_util::ManualClock` (feature `test-util`) makes one
/// that stands still until the test advances it.
///
/// The timeouts of blocking waits, such as [`Closing::wait`](crate::Closing::wait), are always
/// measured by the system's clock.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Manual>>);

/// The state of a clock that stands still until it is advanced.
pub(crate) struct Manual {
    now: Mutex<Instant>,
    timers: Timers,
}

static SYSTEM: Timers = Timers::new();

/// The handle of the timer thread, once the thread was started.
static THREAD: OnceLock<Unparker> = OnceLock::new();

impl Clock {
    /// Returns the system's monotonic clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn manual(manual: Arc<Manual>) -> Self {
        Self(Some(manual))
    }

    /// Whether this is the system's clock.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the current time.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => *manual.now.lock(),
        }
    }

    /// Returns the time since `earlier`; zero if `earlier` is in the future.
    pub(crate) fn since(&self, earlier: Instant) -> Duration {
        self.now().saturating_duration_since(earlier)
    }

    /// Returns the instant that is `duration` from now.
    pub(crate) fn after(&self, duration: Duration) -> Instant {
        after(self.now(), duration)
    }

    fn timers(&self) -> &Timers {
        self.0.as_ref().map_or(&SYSTEM, |manual| &manual.timers)
    }

    /// Sets an alarm that wakes `waker` at `at`, or at once if that is in the past. Dropping the
    /// alarm cancels it.
    pub(crate) fn alarm(&self, at: Instant, waker: Waker) -> Alarm {
        let (key, earliest) = self.timers().insert(at, waker);
        match &self.0 {
            None => {
                if earliest && let Some(thread) = THREAD.get() {
                    thread.unpark();
                }
            }
            Some(manual) => manual.fire(),
        }
        Alarm { clock: self.clone(), key }
    }

    /// Returns a future that completes after `duration`.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.after(duration))
    }

    /// Returns a future that completes at `deadline`.
    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { clock: self.clone(), deadline, alarm: None }
    }

    /// Waits for `future` until `deadline`, and returns its output, or `None` if the deadline is
    /// reached first. If both are ready in the same poll, the output is returned.
    pub(crate) async fn by<F: Future + Unpin>(
        &self,
        deadline: Instant,
        future: F,
    ) -> Option<F::Output> {
        match select(future, self.sleep_until(deadline)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_system() { "Clock(system)" } else { "Clock(manual)" })
    }
}

#[cfg(feature = "test-util")]
impl Manual {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Instant::now()), timers: Timers::new() })
    }

    /// Advances the clock by `time`, and fires each alarm that becomes due, in order.
    pub(crate) fn advance(&self, time: Duration) {
        let until = after(*self.now.lock(), time);
        loop {
            let due = self.timers.take_due(until);
            match due {
                Ok((at, waker)) => {
                    let mut now = self.now.lock();
                    *now = (*now).max(at);
                    drop(now);
                    wake(waker);
                }
                Err(_) => break,
            }
        }
        let mut now = self.now.lock();
        *now = (*now).max(until);
        drop(now);
        // Another thread may have set an alarm between the loop and the new time.
        self.fire();
    }
}

impl Manual {
    /// Fires the alarms that are due.
    fn fire(&self) {
        let now = *self.now.lock();
        while let Ok((_, waker)) = self.timers.take_due(now) {
            wake(waker);
        }
    }
}

/// Starts the timer thread, unless it is running. Two threads must not call this at the same time.
pub(super) fn start() -> io::Result<()> {
    if THREAD.get().is_some() {
        return Ok(());
    }
    let parker = Parker::new();
    let unparker = parker.unparker();
    super::thread::start_thread("anypeer-timer", move || fire(&parker))?;
    // This wake-up makes the thread find alarms that were set before it was known.
    THREAD.get_or_init(|| unparker).unpark();
    Ok(())
}

/// The main function of the timer thread.
fn fire(parker: &Parker) -> ! {
    loop {
        let due = SYSTEM.take_due(Instant::now());
        match due {
            Ok((_, waker)) => wake(waker),
            Err(Some(at)) => drop(parker.park_deadline(at)),
            Err(None) => parker.park(),
        }
    }
}

/// Wakes a waker, which is foreign code: its panic must not end the timer thread.
fn wake(waker: Waker) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

/// An alarm, which wakes a waker at an instant. Dropping the alarm cancels it.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: Clock,
    key: Key,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clock.timers().remove(self.key);
    }
}

/// A future that completes at its deadline. It needs no executor.
#[derive(Debug)]
pub(crate) struct Sleep {
    clock: Clock,
    deadline: Instant,
    /// Set by the first poll before the deadline.
    alarm: Option<Alarm>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= self.clock.now() {
            return Poll::Ready(());
        }
        match &self.alarm {
            Some(alarm) => alarm.clock.timers().replace(alarm.key, cx.waker().clone()),
            None => {
                let alarm = self.clock.alarm(self.deadline, cx.waker().clone());
                self.alarm = Some(alarm);
            }
        }
        Poll::Pending
    }
}

/// Returns the instant that is `duration` after `start`, or a century after it if `Instant` cannot
/// represent that.
pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(duration).unwrap_or_else(|| start + CENTURY)
}
