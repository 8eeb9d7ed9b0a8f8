//! The clock of a runtime, and alarms by it.
//!
//! Alarms work on any thread, whatever drives it, or nothing. Those of the system's clock are fired
//! by one thread, `anypeer-timer`, which is woken only for a new earliest alarm. Each of async-io's
//! timers wakes its reactor, and in a profile of 400 closes at once that was most of what our side
//! of a close took.

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

/// What tells the time to everything that belongs to a peer: the bounds of its closes, the
/// deadlines of its tasks, the budgets of its callbacks, the reaper, and the dates of its events.
///
/// A clock belongs to a runtime ([`Spawner::clock`](super::Spawner::clock)), and is the system's
/// monotonic clock unless the runtime says otherwise. In tests
/// `test_util::ManualClock` (feature `test-util`) gives one that is turned by hand.
///
/// Blocking waits ([`Closing::wait`](crate::Closing::wait) and its like) are bounded by the system's
/// clock all the same.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Manual>>);

/// A clock that goes only when it is turned.
pub(crate) struct Manual {
    now: Mutex<Instant>,
    timers: Timers,
}

static SYSTEM: Timers = Timers::new();

/// The thread that fires the system clock's alarms, once it was started.
static THREAD: OnceLock<Unparker> = OnceLock::new();

impl Clock {
    /// The system's monotonic clock.
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

    /// The time now.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => *manual.now.lock(),
        }
    }

    /// How long ago `earlier` was.
    pub(crate) fn since(&self, earlier: Instant) -> Duration {
        self.now().saturating_duration_since(earlier)
    }

    /// `duration` from now.
    pub(crate) fn after(&self, duration: Duration) -> Instant {
        after(self.now(), duration)
    }

    fn timers(&self) -> &Timers {
        self.0.as_ref().map_or(&SYSTEM, |manual| &manual.timers)
    }

    /// Sets an alarm that wakes `waker` at `at`, or at once if that is past, unless the alarm is
    /// dropped before.
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

    /// Completes after `duration`.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.after(duration))
    }

    /// Completes at `deadline`.
    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { clock: self.clone(), deadline, alarm: None }
    }

    /// The output of `future`, or `None` at `deadline`; a future that is ready by then wins.
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

    /// Turns the clock on by `time`, past each alarm that falls due on the way.
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
        // One that was set meanwhile, by the time before.
        self.fire();
    }
}

impl Manual {
    /// Fires what is due already.
    fn fire(&self) {
        let now = *self.now.lock();
        while let Ok((_, waker)) = self.timers.take_due(now) {
            wake(waker);
        }
    }
}

/// Starts the thread that fires alarms, unless it runs. Two threads must not call this at once.
pub(super) fn start() -> io::Result<()> {
    if THREAD.get().is_some() {
        return Ok(());
    }
    let parker = Parker::new();
    let unparker = parker.unparker();
    super::thread::start_thread("anypeer-timer", move || fire(&parker))?;
    // An alarm that was set before this is found when the thread is woken for the first time.
    THREAD.get_or_init(|| unparker).unpark();
    Ok(())
}

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

/// Wakes a waker of any executor; a panic of one must not end the alarms of all.
fn wake(waker: Waker) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

/// Wakes a waker at an instant, unless it is dropped before.
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

/// Completes at its deadline, on any executor, or on none.
#[derive(Debug)]
pub(crate) struct Sleep {
    clock: Clock,
    deadline: Instant,
    /// Set once it waits.
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

/// `duration` after `start`, or else an instant that nobody will see.
pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(duration).unwrap_or_else(|| start + CENTURY)
}
