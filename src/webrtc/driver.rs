//! A connection's driver, where any thread can take it away.
//!
//! `webrtc` spawns one future per connection, which owns its sockets and runs its callbacks, and
//! never stops it unless asked to. Here that future lives in a slot: the executor's task polls it
//! through the slot, and [`Driver::kill`] takes it out and drops it, on whatever thread, whether
//! or not the executor is driven. While the task is in the middle of a poll (a callback that
//! blocks) the future cannot be had; then the sockets are taken away from it instead.

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
    /// It ran to its end.
    Finished,
    Panicked,
    /// Its executor dropped it.
    Lost,
    /// [`Driver::kill`] took it away.
    Killed,
}

pub(super) struct Driver {
    slot: Mutex<Slot>,
    /// Wakes the executor's task when the future was taken from it, so that the task ends too.
    task: AtomicWaker,
    end: Completion<DriverEnd>,
    notice: Mutex<Option<EndNotice>>,
    helpers: Mutex<Vec<AbortHandle>>,
    pub(super) sockets: Arc<Sockets>,
}

enum Slot {
    /// Not spawned yet.
    Vacant,
    Idle(Running),
    Polling,
    /// Killed in the middle of a poll: dropped when the poll returns.
    Doomed,
    /// Being dropped, by one thread.
    Ending,
    /// Nothing is left, or never will be.
    Ended,
}

struct Running {
    future: BoxFuture,
    _counted: Counted,
}

/// What [`Driver::kill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Killed {
    /// The driver is gone, with its sockets.
    Gone(DriverEnd),
    /// The sockets are gone; the driver goes when the poll that holds it returns.
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

    /// Puts `future` in the slot; the answer is the task to spawn. A future that comes second is
    /// given back, and so is one that comes too late, to be dropped.
    pub(super) fn install(self: &Arc<Self>, future: BoxFuture) -> Result<DriverTask, BoxFuture> {
        let mut slot = self.slot.lock();
        if !matches!(*slot, Slot::Vacant) {
            return Err(future);
        }
        *slot = Slot::Idle(Running { future, _counted: DRIVERS.count() });
        Ok(DriverTask { driver: Arc::clone(self), _counted: TASKS.count() })
    }

    /// Whether a connection was built on it.
    pub(super) fn is_installed(&self) -> bool {
        !matches!(*self.slot.lock(), Slot::Vacant)
    }

    /// Remembers a task that the driver spawned, to end it with the driver.
    pub(super) fn add_helper(&self, helper: AbortHandle) {
        let mut helpers = self.helpers.lock();
        helpers.retain(|helper| !helper.is_aborted());
        helpers.push(helper);
        drop(helpers);
        if self.end.get().is_some() {
            self.abort_helpers();
        }
    }

    /// Calls `notice` when the driver ends, at once if it has.
    pub(super) fn watch_end(&self, notice: EndNotice) {
        *self.notice.lock() = Some(notice);
        if let Some(end) = self.end.get() {
            self.notify(*end);
        }
    }

    pub(super) fn end(&self) -> Option<DriverEnd> {
        self.end.get().copied()
    }

    pub(super) async fn ended(&self) -> DriverEnd {
        *self.end.wait().await
    }

    /// Takes the driver and its sockets away, at once. Any number of times, on any thread.
    pub(super) fn kill(&self) -> Killed {
        let running = {
            let mut slot = self.slot.lock();
            match std::mem::replace(&mut *slot, Slot::Ending) {
                Slot::Idle(running) => Some(running),
                Slot::Vacant => None,
                held @ (Slot::Polling | Slot::Doomed | Slot::Ending) => {
                    // Whoever polls it drops it, and whoever drops it says so.
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

    /// Drops what is left, and only then says that it is gone. To be called by whoever has set
    /// [`Slot::Ending`], once.
    fn finish(&self, running: Option<Running>, end: DriverEnd) {
        // The future may be in the middle of a callback of the application's, whose locals may
        // panic when they are dropped.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(running)));
        self.sockets.revoke();
        self.abort_helpers();
        self.end.set(end);
        *self.slot.lock() = Slot::Ended;
        // One that was added meanwhile.
        self.abort_helpers();
        self.notify(end);
    }

    fn abort_helpers(&self) {
        for helper in self.helpers.lock().drain(..) {
            helper.abort();
        }
    }

    fn notify(&self, end: DriverEnd) {
        let notice = self.notice.lock().take();
        if let Some(notice) = notice {
            notice.ended(end.cause());
        }
    }

    /// Takes the future out of the slot for a poll; no lock is held while callbacks run.
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

    /// Puts the future back, unless it was killed meanwhile; says whether the driver goes on.
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

/// What the executor polls. If it drops it, the driver has ended.
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
