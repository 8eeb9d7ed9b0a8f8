//! A clock that tests advance by hand.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::clock::Manual;
use crate::runtime::{BoxFuture, Clock, Runtime, Spawner};

/// The real time between two steps, in which woken tasks make progress.
const PAUSE: Duration = Duration::from_millis(2);

/// A clock that stands still until a test advances it, so that minutes are tested in milliseconds.
///
/// Everything that belongs to a peer uses the clock of its runtime: deadlines, budgets, the reaper,
/// the times of events, and also the timers of the `webrtc` crate, so that a real connection stands
/// still with the clock. [`runtime`](Self::runtime) combines this clock with any runtime. Clones
/// are the same clock.
///
/// The clock cannot know when all executors are idle. Tasks that an advance wakes go on in real
/// time, and a test waits for their results:
///
/// - If the time is known: wait for a sign that the code is waiting (a call that it made, an
///   [`Event`](crate::Event)), [`advance`](Self::advance) to that instant, and wait for the
///   expected result.
/// - If the time does not matter: use [`advance_until`](Self::advance_until).
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
    /// Creates a clock that shows the present time.
    #[must_use]
    pub fn new() -> Self {
        Self(Manual::new())
    }

    /// The time that the clock shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock().now()
    }

    /// Returns the clock as a [`Clock`], for a [`Spawner`] of the test.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::manual(Arc::clone(&self.0))
    }

    /// Returns `runtime` with this clock in place of its own.
    #[must_use]
    pub fn runtime(&self, runtime: impl Into<Runtime>) -> Runtime {
        Runtime::from(Clocked { runtime: runtime.into(), clock: self.clock() })
    }

    /// Advances the clock by `time`, and fires each alarm that becomes due, in order. Tasks that an
    /// alarm wakes run on their own executors, perhaps after this has returned. An alarm that is
    /// set for a time in the past fires at once.
    pub fn advance(&self, time: Duration) {
        self.0.advance(time);
    }

    /// Advances the clock by `step` repeatedly until `future` is ready, and returns its output. If
    /// the future is already ready, the clock is not advanced. Between two steps there are 2 ms of
    /// real time, in which other threads make progress. The clock may be advanced further than
    /// necessary, but never by more than `step` at once.
    ///
    /// **Choose a step well below the bounds in question**, such as 100 ms. With steps of 1 s, the
    /// grace period of a close (1.5 s) is over after two steps, that is after 4 ms of real time,
    /// and the close is forced.
    ///
    /// This ends only when `future` is ready: give the test a bound of its own.
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
    /// Panics if the threads of this crate cannot be started.
    ///
    /// # Cancel safety
    ///
    /// If this future is dropped, so is `future`. The clock keeps the time that it has reached.
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
