//! A clock that a test turns by hand.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::clock::Manual;
use crate::runtime::{BoxFuture, Clock, Runtime, Spawner};

/// How long what a turn has woken has to get on, before the next turn.
const PAUSE: Duration = Duration::from_millis(2);

/// A clock that stands still until a test turns it: what takes minutes is tested in milliseconds.
///
/// Everything that belongs to a peer reads the clock of its runtime: deadlines, budgets, the
/// reaper, the dates of events; and so do the timers of the `webrtc` crate, so that a real connection
/// stands still with the clock. [`runtime`](Self::runtime) puts this clock onto any runtime. Clones
/// are the same clock.
///
/// No clock of several executors can know that all of them have nothing left to do. What
/// a turn wakes goes on in real time, and a test waits for what comes of it:
///
/// - At a known time: wait for an event that says the code is waiting (a call that it made, an
///   [`Event`](crate::Event)), [`advance`](Self::advance) to the very instant, and wait for what is
///   to happen then.
/// - At whatever time: [`advance_until`](Self::advance_until) it happens.
///
/// ```
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::runtime::Runtime;
/// use anypeer::task::TaskGroup;
/// use anypeer::test_util::ManualClock;
///
/// let clock = ManualClock::new();
/// let runtime = clock.runtime(Runtime::background()?);
/// let group = TaskGroup::new(runtime.clone())?;
/// let mut task = group.task("slow").timeout(Duration::from_secs(3600)).spawn(async {
///     std::future::pending::<()>().await;
/// });
/// let an_hour = Duration::from_secs(3600);
/// // The deadline is reached as soon as the task waits for it.
/// clock.advance(an_hour);
/// let ended = task.wait(Duration::from_secs(10));
/// assert!(matches!(ended, Ok(Err(_cancelled))));
///
/// let peers = Peers::builder().runtime(runtime).build();
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<Manual>);

impl ManualClock {
    /// A clock that stands at the present.
    #[must_use]
    pub fn new() -> Self {
        Self(Manual::new())
    }

    /// The time that it shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock().now()
    }

    /// The clock, for a [`Spawner`] of the test's own.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::manual(Arc::clone(&self.0))
    }

    /// `runtime` with this clock in place of its own.
    #[must_use]
    pub fn runtime(&self, runtime: impl Into<Runtime>) -> Runtime {
        Runtime::from(Clocked { runtime: runtime.into(), clock: self.clock() })
    }

    /// Turns the clock on by `time`, and fires each alarm that is due on the way, in order. What an
    /// alarm wakes runs on its own executor, perhaps after this has returned; an alarm that is set
    /// for a time that is past fires at once.
    pub fn advance(&self, time: Duration) {
        self.0.advance(time);
    }

    /// Turns the clock by `step` again and again until `future` is ready, and returns its output. A
    /// future that is ready already turns nothing. Between two turns there are some milliseconds of
    /// real time, in which other threads see the time in between: it may be turned further than it
    /// had to be, and never by more than `step` at once.
    ///
    /// It ends only with `future`; a test bounds it as it bounds everything that it waits for.
    ///
    /// ```
    /// use std::time::Duration;
    /// use anypeer::runtime::{self, Runtime};
    /// use anypeer::task::TaskGroup;
    /// use anypeer::test_util::ManualClock;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = ManualClock::new();
    /// let group = TaskGroup::new(clock.runtime(Runtime::background()?))?;
    /// let hour = Duration::from_secs(3600);
    /// let task = group.task("slow").timeout(hour).spawn(std::future::pending::<()>());
    /// let test = async move { clock.advance_until(hour / 60, task).await };
    /// // Within ten seconds of real time.
    /// let ended = runtime::run(test)?.wait(Duration::from_secs(10))??;
    /// assert!(ended.is_err(), "expected the deadline to cancel it");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the threads of this crate cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end it drops `future`; the clock stays as it was turned.
    pub async fn advance_until<F: Future>(&self, step: Duration, future: F) -> F::Output {
        let started = Runtime::background();
        assert!(started.is_ok(), "the threads that wait in real time: {started:?}");
        let (real, mut future) = (Clock::system(), pin!(future));
        loop {
            match real.by(real.after(PAUSE), future.as_mut()).await {
                Some(output) => return output,
                None => self.advance(step),
            }
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// A runtime with another clock.
#[derive(Debug)]
struct Clocked {
    runtime: Runtime,
    clock: Clock,
}

impl Spawner for Clocked {
    fn spawn(&self, task: BoxFuture) {
        drop(self.runtime.spawn(task));
    }

    fn within(&self, work: &mut dyn FnMut()) {
        self.runtime.within(work);
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn name(&self) -> &'static str {
        self.runtime.name()
    }
}
