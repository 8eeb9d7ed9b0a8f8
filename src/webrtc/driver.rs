//! The driver of a connection, in a slot from which any thread can take it.
//!
//! `webrtc` spawns one future per connection, the driver, which owns the sockets, runs the
//! callbacks, and ends only when it is told to. This module keeps that future in a slot. The
//! executor's task polls the future through the slot, and [`Driver::kill`] takes the future out and
//! drops it, on any thread, whether or not the executor is being run. During a poll, as in a
//! callback that blocks its thread, the future cannot be taken. Its sockets are then revoked
//! instead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::AbortHandle;
use futures::task::AtomicWaker;

use super::live_objects::{Counted, DRIVERS, TASKS};
use super::socket::Sockets;
use crate::peer::{CloseMode, EndNotice, ForceCause};
use crate::runtime::BoxFuture;
use crate::sync::{Completion, Mutex};

/// How a driver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DriverEnd {
    /// The future ran to its end.
    Finished,
    /// A poll of the future panicked.
    Panicked,
    /// The executor dropped the task.
    Lost,
    /// [`Driver::kill`] dropped the future.
    Killed,
}

/// The driver of one connection, its helpers and its sockets.
pub(super) struct Driver {
    slot: Mutex<Slot>,
    /// Wakes the executor's task after the future was taken, so that the task ends too.
    task: AtomicWaker,
    end: Completion<DriverEnd>,
    notice: Mutex<Option<EndNotice>>,
    helpers: Mutex<Vec<AbortHandle>>,
    pub(super) sockets: Arc<Sockets>,
}

/// The slot of the driver's future.
enum Slot {
    /// The driver was not spawned yet.
    Vacant,
    /// The future is in the slot.
    Idle(Running),
    /// The future is being polled.
    Polling,
    /// The driver was killed during a poll. The future is dropped when the poll returns.
    Doomed,
    /// One thread is dropping the future.
    Ending,
    /// The future is gone, or the driver was killed before it was spawned.
    Ended,
}

/// The driver's future.
struct Running {
    future: BoxFuture,
    _counted: Counted,
}

/// The result of [`Driver::kill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Killed {
    /// The driver has ended, and its sockets are gone.
    Gone(DriverEnd),
    /// The sockets are gone. The driver is dropped when the poll that holds it returns.
    Held,
}

impl Driver {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            slot: Mutex::new(Slot::Vacant),
            task: AtomicWaker::new(),
            end: Completion::new(),
            notice: Mutex::new(None),
            helpers: Mutex::new(Vec::new()),
            sockets: Arc::default(),
        })
    }

    /// Puts `future` in the slot, and returns the task to spawn.
    ///
    /// # Errors
    ///
    /// Returns `future` if there was a driver before, or if the driver was killed already.
    pub(super) fn install(self: &Arc<Self>, future: BoxFuture) -> Result<DriverTask, BoxFuture> {
        let mut slot = self.slot.lock();
        if !matches!(*slot, Slot::Vacant) {
            return Err(future);
        }
        *slot = Slot::Idle(Running { future, _counted: DRIVERS.count() });
        Ok(DriverTask { driver: Arc::clone(self), _counted: TASKS.count() })
    }

    /// Whether the slot was ever used, by a driver or by a kill.
    pub(super) fn is_installed(&self) -> bool {
        !matches!(*self.slot.lock(), Slot::Vacant)
    }

    /// Adds a task that the driver has spawned, which ends with the driver.
    pub(super) fn add_helper(&self, helper: AbortHandle) {
        let mut helpers = self.helpers.lock();
        helpers.retain(|helper| !helper.is_aborted());
        helpers.push(helper);
        drop(helpers);
        if self.end.get().is_some() {
            self.abort_helpers();
        }
    }

    /// Calls `notice` when the driver ends, at once if it has ended.
    pub(super) fn watch_end(&self, notice: EndNotice) {
        *self.notice.lock() = Some(notice);
        if let Some(end) = self.end.get() {
            self.notify(*end);
        }
    }

    /// How the driver ended; `None` while it has not ended.
    pub(super) fn end(&self) -> Option<DriverEnd> {
        self.end.get().copied()
    }

    /// Completes when the driver has ended.
    pub(super) async fn ended(&self) -> DriverEnd {
        *self.end.wait().await
    }

    /// Drops the driver and its sockets at once. May be called any number of times, on any thread.
    pub(super) fn kill(&self) -> Killed {
        let running = {
            let mut slot = self.slot.lock();
            match std::mem::replace(&mut *slot, Slot::Ending) {
                Slot::Idle(running) => Some(running),
                Slot::Vacant => None,
                held @ (Slot::Polling | Slot::Doomed | Slot::Ending) => {
                    // The future cannot be dropped here. The thread that is polling it drops it,
                    // and reports the end.
                    *slot = if matches!(held, Slot::Ending) { held } else { Slot::Doomed };
                    drop(slot);
                    self.sockets.revoke();
                    return Killed::Held;
                }
                Slot::Ended => {
                    *slot = Slot::Ended;
                    drop(slot);
                    return Killed::Gone(self.end().unwrap_or(DriverEnd::Killed));
                }
            }
        };
        self.finish(running, DriverEnd::Killed);
        self.task.wake();
        Killed::Gone(DriverEnd::Killed)
    }

    /// Drops what is left of the driver, and then reports its end. Called once, by the thread that
    /// has set [`Slot::Ending`].
    fn finish(&self, running: Option<Running>, end: DriverEnd) {
        // The future may be inside a callback of the application, and the drop of the callback's
        // locals may panic.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(running)));
        self.sockets.revoke();
        self.abort_helpers();
        self.end.set(end);
        *self.slot.lock() = Slot::Ended;
        // A helper may have been added since the first call, before the end was set.
        self.abort_helpers();
        self.notify(end);
    }

    /// Aborts all helpers.
    fn abort_helpers(&self) {
        for helper in self.helpers.lock().drain(..) {
            helper.abort();
        }
    }

    /// Calls the end notice, once.
    fn notify(&self, end: DriverEnd) {
        let notice = self.notice.lock().take();
        if let Some(notice) = notice {
            notice.ended(end.cause());
        }
    }

    /// Takes the future out of the slot for a poll, so that no lock is held while callbacks run.
    fn begin_poll(&self) -> Option<Running> {
        let mut slot = self.slot.lock();
        match std::mem::replace(&mut *slot, Slot::Polling) {
            Slot::Idle(running) => Some(running),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Puts the future back after a poll, or drops it if it has ended or was killed. Returns
    /// whether the driver goes on.
    fn end_poll(&self, running: Running, end: Option<DriverEnd>) -> bool {
        let mut slot = self.slot.lock();
        let doomed = matches!(*slot, Slot::Doomed);
        if end.is_none() && !doomed {
            *slot = Slot::Idle(running);
            return true;
        }
        *slot = Slot::Ending;
        drop(slot);
        self.finish(Some(running), end.unwrap_or(DriverEnd::Killed));
        false
    }
}

impl DriverEnd {
    /// The cause to report for a driver that ended in this way.
    pub(super) fn cause(self) -> ForceCause {
        match self {
            Self::Finished => ForceCause::DriverEnded,
            Self::Panicked => ForceCause::DriverPanicked,
            Self::Lost => ForceCause::RuntimeGone,
            Self::Killed => ForceCause::Unresponsive,
        }
    }
}

impl From<DriverEnd> for CloseMode {
    fn from(end: DriverEnd) -> Self {
        Self::Forced(end.cause())
    }
}

/// The task that the executor polls. The driver ends if the executor drops the task.
pub(super) struct DriverTask {
    driver: Arc<Driver>,
    _counted: Counted,
}

impl Future for DriverTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &self.driver;
        driver.task.register(cx.waker());
        let Some(mut running) = driver.begin_poll() else {
            return Poll::Ready(());
        };
        let polled = catch_unwind(AssertUnwindSafe(|| running.future.as_mut().poll(cx)));
        let end = match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(())) => Some(DriverEnd::Finished),
            Err(_) => Some(DriverEnd::Panicked),
        };
        if driver.end_poll(running, end) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for DriverTask {
    fn drop(&mut self) {
        if let Some(running) = self.driver.begin_poll() {
            self.driver.end_poll(running, Some(DriverEnd::Lost));
        }
    }
}
