//! One close, from its start to its one outcome.
//!
//! The graceful part of a cooperative connection runs as a task on the peer's own runtime, where
//! it is cheapest: nothing else is woken for it. That of any other runs on a thread of ours, which
//! it may block. Either way a timer watches it, and what the runtime refuses, drops, does not run
//! or does not finish in time is ended by force, on a thread of ours.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::select;

use super::close::Ending;
use super::options::CloseOptions;
use super::outcome::{CloseFailure, CloseReason, Closure, ForceCause, Outcome};
use super::record::{Record, Status};
use super::sweep::Sweep;
use crate::event::{Event, OperationEnd, Target};
use crate::id::OperationId;
use crate::runtime::background::foreign;
use crate::runtime::{JoinError, JoinHandle, Runtime, panicked, time};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Completion, Mutex, OnceLock};

pub(super) struct Attempt {
    record: Arc<Record>,
    /// The operation that the close is.
    pub(super) id: OperationId,
    sweeps: Mutex<Sweeps>,
    pub(super) ending: Arc<Completion<Ending>>,
    pub(super) reason: CloseReason,
    start: Instant,
    timeout: Duration,
    grace: Duration,
    /// What the connection's own close saw, from when it saw it.
    seen: OnceLock<Option<Closure>>,
    /// Why it saw nothing.
    failed: Completion<CloseFailure>,
    forcing: AtomicBool,
    settled: AtomicBool,
    /// What goes on meanwhile: the task, and the timer that watches it.
    underway: Mutex<Option<(JoinHandle<()>, time::Alarm)>>,
}

/// The closes of many that a close belongs to.
enum Sweeps {
    Open(Vec<Arc<Sweep>>),
    /// It has ended, and is none's any more.
    Ended(Outcome),
}

/// What force has at the least, should it start at the very end of the bound.
pub(super) const FORCE_FLOOR: Duration = Duration::from_millis(100);

/// Why a close is not left to go on by itself.
enum Trouble {
    /// It failed.
    Failed(CloseFailure),
    /// Its runtime refused or dropped it.
    Lost,
    /// It has not ended within the grace period.
    Late,
}

impl Attempt {
    pub(super) fn new(
        record: Arc<Record>,
        reason: CloseReason,
        start: Instant,
        options: CloseOptions,
    ) -> Arc<Self> {
        let (timeout, grace) = options.bounds();
        Arc::new(Self {
            record,
            id: OperationId::generate(),
            sweeps: Mutex::new(Sweeps::Open(Vec::new())),
            ending: Arc::new(Completion::new()),
            reason,
            start,
            timeout,
            grace,
            seen: OnceLock::new(),
            failed: Completion::new(),
            forcing: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            underway: Mutex::new(None),
        })
    }

    /// Starts the close. Never waits.
    pub(super) fn start(self: &Arc<Self>) {
        let guard = Guard { attempt: Arc::clone(self), over: false };
        let connection = &self.record.connection;
        let task = if connection.is_cooperative() {
            self.record.runtime.spawn(guard.run())
        } else {
            Runtime::spawn_background(foreign(self.record.within(guard.run())))
        };
        let late = Waker::from(Arc::clone(self));
        let alarm = time::Alarm::set(time::after(self.start, self.grace), late);
        let mut underway = self.underway.lock();
        if !self.settled.load(Ordering::Acquire) {
            *underway = Some((task, alarm));
        }
    }

    /// Starts the close of a connection that has ended by itself: there is only that to wait for.
    pub(super) fn start_ended(self: &Arc<Self>, cause: ForceCause) {
        let attempt = Arc::clone(self);
        drop(Runtime::spawn_background(async move {
            let end = pin!(attempt.record.told.wait());
            let outcome = match time::by(attempt.deadline(), end).await {
                Some(end) => match &end.closure {
                    Some(closure) => Outcome::Closed(closure.clone()),
                    None => Outcome::Unconfirmed,
                },
                // The application is still being told; it has ended all the same.
                None => Outcome::Closed(Closure::Forced(cause)),
            };
            attempt.settle(outcome);
        }));
    }

    /// Makes the close one of many, unless it has ended.
    pub(super) fn join(&self, sweep: Option<&Arc<Sweep>>) {
        let Some(sweep) = sweep else { return };
        match &mut *self.sweeps.lock() {
            Sweeps::Open(sweeps) => sweeps.push(Arc::clone(sweep)),
            Sweeps::Ended(outcome) => sweep.note(outcome),
        }
    }

    /// Says that it is over, once what was to be told of it was told.
    pub(super) fn end(&self, ending: Ending) {
        let Status { id: peer, watch, .. } = &*self.record.status;
        if watch.is_attached() {
            let (id, took, target) = (self.id, self.start.elapsed(), Target::Peer(peer));
            let result = ending.outcome.clone().into_result().map(|outcome| outcome.to_string());
            let end = match &result {
                Ok(outcome) => OperationEnd::Completed(Some(outcome)),
                Err(error) => OperationEnd::Failed(error),
            };
            watch.tell(|| Event::OperationEnded { id, operation: "close", target, end, took });
        }
        let ended = Sweeps::Ended(ending.outcome.clone());
        let sweeps = std::mem::replace(&mut *self.sweeps.lock(), ended);
        if let Sweeps::Open(sweeps) = sweeps {
            for sweep in sweeps {
                sweep.note(&ending.outcome);
            }
        }
        self.ending.set(ending);
    }

    fn deadline(&self) -> Instant {
        time::after(self.start, self.timeout)
    }

    /// When what is graceful is over, and when everything is.
    pub(super) fn deadlines(&self) -> (Instant, Instant) {
        (time::after(self.start, self.grace), self.deadline())
    }

    /// The graceful close: what it saw stands, whatever the application makes of being told.
    async fn close(&self) -> Result<(), CloseFailure> {
        let closed = Arc::clone(&self.record.connection).close().await;
        let closed = closed.map_err(|error| CloseFailure::Error(error.to_string()))?;
        let _first = self.seen.set(closed);
        self.record.release_once().await;
        Ok(())
    }

    /// Goes on by force, once.
    fn force(self: Arc<Self>, trouble: Trouble) {
        if !self.settled.load(Ordering::Acquire) && !self.forcing.swap(true, Ordering::AcqRel) {
            drop(Runtime::spawn_background(async move {
                let outcome = self.end_by_force(trouble).await;
                self.settle(outcome);
            }));
        }
    }

    async fn end_by_force(&self, trouble: Trouble) -> Outcome {
        let deadline = self.deadline().max(time::after(Instant::now(), FORCE_FLOOR));
        if self.seen.get().is_none() {
            let connection = Arc::clone(&self.record.connection);
            let mut abort = self.record.attempt(async move { connection.abort().await });
            let aborted = time::by(deadline, &mut abort).await;
            // One that hangs must not be there for each close that is asked for.
            abort.abort();
            let aborted = aborted.and_then(Result::ok).flatten();
            // It may have ended in order after all, just before.
            if let (Some(cause), None) = (aborted, self.seen.get()) {
                self.record.release_by(deadline).await;
                return Outcome::Closed(Closure::Forced(match (trouble, cause) {
                    (Trouble::Failed(failure), _) => ForceCause::Failed(failure),
                    (Trouble::Lost, ForceCause::Unresponsive) => ForceCause::RuntimeGone,
                    (_, cause) => cause,
                }));
            }
        }
        // Either it has ended, and the application is being told; or it cannot be forced, and all
        // that is left is the rest of the bound.
        match (trouble, self.seen.get()) {
            (Trouble::Failed(failure), None) => return Outcome::Failed(failure),
            (Trouble::Lost, None) => return Outcome::Failed(CloseFailure::Lost),
            (Trouble::Late, _) => {
                let (settled, failed) = (pin!(self.ending.wait()), pin!(self.failed.wait()));
                time::by(deadline, select(settled, failed)).await;
            }
            _ => {}
        }
        match (self.seen.get(), self.failed.get()) {
            (Some(closed), _) => outcome(closed),
            (None, Some(failure)) => Outcome::Failed(failure.clone()),
            (None, None) => Outcome::TimedOut { after: self.timeout },
        }
    }

    /// Ends the close. The first outcome is the one.
    fn settle(self: &Arc<Self>, outcome: Outcome) {
        self.record.settle(self, outcome, self.start.elapsed());
        self.settled.store(true, Ordering::Release);
        let underway = self.underway.lock().take();
        if let Some((mut task, _alarm)) = underway {
            task.abort();
        }
    }
}

fn outcome(closed: &Option<Closure>) -> Outcome {
    closed.as_ref().map_or(Outcome::Unconfirmed, |closure| Outcome::Closed(closure.clone()))
}

/// Runs the graceful close; dropped before it is over, it says so.
struct Guard {
    attempt: Arc<Attempt>,
    over: bool,
}

impl Guard {
    async fn run(mut self) {
        let closed = AssertUnwindSafe(self.attempt.close()).catch_unwind().await;
        self.over = true;
        let failure = match closed {
            Ok(closed) => closed.err(),
            Err(payload) => match panicked(payload) {
                JoinError::Panicked(message) => Some(CloseFailure::Panicked(message)),
                error => Some(CloseFailure::Error(error.to_string())),
            },
        };
        match (self.attempt.seen.get(), failure) {
            (Some(closed), _) => self.attempt.settle(outcome(closed)),
            (None, Some(failure)) => {
                self.attempt.failed.set(failure.clone());
                Arc::clone(&self.attempt).force(Trouble::Failed(failure));
            }
            (None, None) => {}
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.over {
            Arc::clone(&self.attempt).force(Trouble::Lost);
        }
    }
}

/// Woken by the timer at the end of the grace period.
impl Wake for Attempt {
    fn wake(self: Arc<Self>) {
        // Not here: the last reference to a connection must not be dropped by the timers.
        drop(Runtime::spawn_background(async move {
            self.record.abort_tasks();
            self.force(Trouble::Late);
        }));
    }
}
