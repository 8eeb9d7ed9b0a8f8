//! A clock that a test turns by hand.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::clock::Manual;
use crate::runtime::{BoxFuture, Clock, Runtime, Spawner};

/// A clock that stands still until a test turns it: what takes minutes is tested in milliseconds.
///
/// Everything that belongs to a peer reads the clock of its runtime: deadlines, budgets, the
/// reaper, the dates of events; and so do the timers of the `webrtc` crate, so that a real connection
/// stands still with the clock. [`runtime`](Self::runtime) puts this clock onto any runtime. Clones
/// are the same clock.
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
