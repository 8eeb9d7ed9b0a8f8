//! The steps of a close, as functions over a record and an attempt.
//!
//! The graceful close of a cooperative connection runs as a task on the peer's own runtime, which
//! is the cheapest place, since no other thread is woken. The graceful close of any other
//! connection runs on a thread of the background executor, which it may block. In both cases the
//! peer's alarm ends the grace period. A graceful close that the runtime refuses, drops, does not
//! run or does not finish in time is forced, on a thread of the background executor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use futures::FutureExt;
use futures::future::select;

use super::attempt::Attempt;
use super::force_reason::ForceReason;
use super::handles::Closing;
use super::release::{release_by, release_once, spawn_foreign};
use super::request::Request;
use super::result::CloseResult;
use crate::event::{EventKind, Target};
use crate::outcome::{CloseFailure, CloseMode, CloseReason, ForceCause, Outcome};
use crate::peer::alarm::Due;
use crate::peer::life::End;
use crate::peer::record::{Phase, Record};
use crate::runtime::{JoinError, Runtime, panicked};
use crate::sync::atomic::Ordering;
use crate::task::{StuckTasks, TaskGroup};

/// The least time that a forced close has, even if it starts at the end of the whole bound. The
/// wait for the peer's tasks has the same least time.
const FORCE_FLOOR: Duration = Duration::from_millis(100);

/// Starts a close, or joins the close in progress. Never waits, and never panics.
pub(in crate::peer) fn close(record: &Arc<Record>, reason: CloseReason) -> Closing {
    close_as(record, reason.into())
}

/// Like [`close`], with the parameters in `request`.
pub(in crate::peer) fn close_as(record: &Arc<Record>, request: Request<'_>) -> Closing {
    let Request { reason, options, sweep, abort } = request;
    let start = record.status.clock().now();
    if let Some(sweep) = sweep {
        sweep.expect();
    }
    let options = options.unwrap_or(record.options);
    let (attempt, ended) = {
        let mut phase = record.phase.lock();
        let ended = match &*phase {
            Phase::Open => None,
            Phase::Ended(cause) => Some(cause.clone()),
            Phase::Closing(attempt) => {
                let attempt = Arc::clone(attempt);
                drop(phase);
                attempt.join(sweep);
                let closing = pending(&attempt, record);
                if abort {
                    attempt.aborted.store(true, Ordering::Release);
                    force(record, &attempt, ForceReason::Aborted);
                }
                return closing;
            }
            Phase::Closed { seen } => {
                let outcome = Outcome::of_ended(*seen);
                drop(phase);
                if let Some(sweep) = sweep {
                    sweep.note(&outcome);
                }
                let target = Target::Peer(&record.status.id);
                return Closing::ready(&record.status.watch, target, outcome);
            }
        };
        let attempt = Attempt::new(reason, start, options);
        attempt.join(sweep);
        attempt.aborted.store(abort, Ordering::Release);
        if ended.is_none() && !abort && !attempt.grace.is_zero() {
            // The alarm is set and cleared while the phase is locked, so that it always belongs to
            // the attempt in progress.
            let grace = GraceAlarm { record: Arc::clone(record), attempt: Arc::clone(&attempt) };
            let late = Waker::from(Arc::new(grace));
            record.status.alarm.set(Due::Grace, attempt.grace_end(), late);
        }
        *phase = Phase::Closing(Arc::clone(&attempt));
        (attempt, ended)
    };
    let (peer, watch) = (&record.status.id, &record.status.watch);
    if watch.is_attached() {
        let (id, target) = (attempt.id, Target::Peer(peer));
        let started = || EventKind::OperationStarted { id, operation: "close", target };
        watch.tell_at(start, Some(peer), started);
        watch.tell_at(start, Some(peer), || EventKind::CloseStarted { reason });
    }
    let closing = pending(&attempt, record);
    match ended {
        Some(cause) => close_ended(record, &attempt, cause),
        None if abort || attempt.grace.is_zero() => force(record, &attempt, ForceReason::Aborted),
        None => close_gracefully(record, &attempt),
    }
    record.cancel_tasks();
    closing
}

/// The handle of an attempt.
fn pending(attempt: &Attempt, record: &Record) -> Closing {
    Closing::pending(attempt.id, &attempt.result, &record.connection)
}

/// Notes that a connection has ended by itself. The connection calls this, on any thread.
pub(in crate::peer) fn ended_by_itself(record: Arc<Record>, cause: ForceCause) {
    {
        let mut phase = record.phase.lock();
        match &mut *phase {
            Phase::Open => *phase = Phase::Ended(cause.clone()),
            // The close in progress usually observes the end of the connection itself. Otherwise it
            // reports this cause.
            Phase::Closing(attempt) => {
                attempt.ended.set(cause);
                return;
            }
            Phase::Ended(_) | Phase::Closed { .. } => return,
        }
    }
    if let Some(set) = record.set.upgrade() {
        set.uncount(&record);
    }
    record.status.alarm.clear(Due::Look);
    record.cancel_tasks();
    let (_, grace) = record.options.bounds();
    drop(Runtime::spawn_background(async move {
        release_by(&record, record.status.clock().after(grace)).await;
        tell_closed(&record, CloseReason::Ended, CloseMode::Forced(cause), Duration::ZERO);
        // The set owns a detached peer, so no drop of an owner would close the peer.
        if record.set.upgrade().is_some_and(|set| set.keeps(&record)) {
            drop(close(&record, CloseReason::Ended));
        }
    }));
}

/// Closes a connection that has ended by itself. The close only waits until the application was
/// told of that end.
fn close_ended(record: &Arc<Record>, attempt: &Arc<Attempt>, cause: ForceCause) {
    let (record, attempt) = (Arc::clone(record), Arc::clone(attempt));
    drop(Runtime::spawn_background(async move {
        let end = pin!(record.status.life.ended.wait());
        let outcome = match record.status.clock().by(attempt.deadline(), end).await {
            Some(End { mode: Some(mode), .. }) => Outcome::Closed(mode.clone()),
            Some(End { mode: None, .. }) => Outcome::Unconfirmed,
            // The connection has ended, but a callback or an observer that is told of the end has
            // not returned.
            None => Outcome::Closed(CloseMode::Forced(cause)),
        };
        settle(&record, &attempt, outcome);
    }));
}

/// Starts the graceful close. Further calls for the same attempt do nothing.
fn close_gracefully(record: &Arc<Record>, attempt: &Arc<Attempt>) {
    if attempt.settled.load(Ordering::Acquire) || attempt.begun.swap(true, Ordering::AcqRel) {
        return;
    }
    let (guarded, attempt) = (Arc::clone(record), Arc::clone(attempt));
    let graceful = Graceful { record: guarded, attempt: Arc::clone(&attempt), is_over: false };
    // `is_cooperative` is foreign code. A connection in which it panics is not cooperative.
    let is_cooperative = || record.connection.is_cooperative();
    let mut task = if catch_unwind(AssertUnwindSafe(is_cooperative)).unwrap_or(false) {
        record.runtime.spawn(graceful.run())
    } else {
        Runtime::spawn_background(record.foreign(graceful.run()))
    };
    let mut underway = attempt.graceful.lock();
    if attempt.settled.load(Ordering::Acquire) {
        drop(underway);
        // The task is aborted, because a detached task would keep the connection until the graceful
        // close ends, which may be never.
        task.abort();
    } else {
        *underway = Some(task);
    }
}

/// A graceful close in progress. If it is dropped before its end, the runtime has refused or
/// dropped it, and the close is forced.
struct Graceful {
    record: Arc<Record>,
    attempt: Arc<Attempt>,
    is_over: bool,
}

impl Graceful {
    /// Runs the graceful close, and settles the close with its result or forces the close.
    async fn run(mut self) {
        let closed = AssertUnwindSafe(self.close()).catch_unwind().await;
        self.is_over = true;
        let failure = match closed {
            Ok(closed) => closed.err(),
            Err(payload) => match panicked(payload) {
                JoinError::Panicked(message) => Some(CloseFailure::Panicked(message)),
                error => Some(CloseFailure::Error(error.to_string())),
            },
        };
        match (self.attempt.seen.get(), failure) {
            (Some(seen), _) => settle(&self.record, &self.attempt, outcome(seen)),
            (None, Some(failure)) => {
                self.attempt.failed.set(failure.clone());
                force(&self.record, &self.attempt, ForceReason::Failed(failure));
            }
            (None, None) => {}
        }
    }

    /// Closes the connection and releases it. What the close has observed is stored first, so that
    /// it is kept if the application's code in the release hangs or panics.
    async fn close(&self) -> Result<(), CloseFailure> {
        let closed = Arc::clone(&self.record.connection).close().await;
        let closed = closed.map_err(|error| {
            let source = std::error::Error::source(&error);
            CloseFailure::Error(source.map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        let _first = self.attempt.seen.set(closed);
        release_once(&self.record).await;
        Ok(())
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        if !self.is_over {
            force(&self.record, &self.attempt, ForceReason::Lost);
        }
    }
}

/// The waker for the end of the grace period, which forces the close.
struct GraceAlarm {
    record: Arc<Record>,
    attempt: Arc<Attempt>,
}

impl Wake for GraceAlarm {
    fn wake(self: Arc<Self>) {
        // A drop of the last reference to a connection runs foreign code, which must not block the
        // timers' thread.
        drop(Runtime::spawn_background(async move {
            self.record.abort_tasks();
            force(&self.record, &self.attempt, ForceReason::Late);
        }));
    }
}

/// Starts the forced close. Further calls for the same attempt do nothing.
fn force(record: &Arc<Record>, attempt: &Arc<Attempt>, reason: ForceReason) {
    if attempt.settled.load(Ordering::Acquire) || attempt.forcing.swap(true, Ordering::AcqRel) {
        return;
    }
    let (record, attempt) = (Arc::clone(record), Arc::clone(attempt));
    drop(Runtime::spawn_background(async move {
        let outcome = end_by_force(&record, &attempt, reason).await;
        settle(&record, &attempt, outcome);
    }));
}

/// Aborts the connection. If it cannot be aborted, waits for the graceful close within the bound.
async fn end_by_force(
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
    reason: ForceReason,
) -> Outcome {
    let clock = record.status.clock();
    let deadline = attempt.deadline().max(clock.after(FORCE_FLOOR));
    if attempt.seen.get().is_none() {
        let connection = Arc::clone(&record.connection);
        let mut abort = spawn_foreign(record, async move { connection.abort().await });
        let aborted = clock.by(deadline, &mut abort).await;
        // A call of `abort` that hangs is dropped, so that such calls do not accumulate when the
        // close is repeated.
        abort.abort();
        let aborted = aborted.and_then(Result::ok).flatten();
        // If the graceful close has observed the end in the meantime, what it has observed takes
        // precedence.
        if let (Some(mode), None) = (aborted, attempt.seen.get()) {
            release_by(record, deadline).await;
            return Outcome::Closed(reason.closed(mode));
        }
    }
    // Either the connection has ended, and its handler is being told of the end; or the connection
    // cannot be aborted, and only the graceful close can still end it before the deadline.
    if let ForceReason::Aborted | ForceReason::Late = reason {
        close_gracefully(record, attempt);
        let (settled, failed) = (pin!(attempt.result.wait()), pin!(attempt.failed.wait()));
        let ended = pin!(attempt.ended.wait());
        clock.by(deadline, select(select(settled, failed), ended)).await;
    }
    if let Some(seen) = attempt.seen.get() {
        return outcome(seen);
    }
    if let Some(cause) = attempt.ended.get() {
        release_by(record, deadline).await;
        return Outcome::Closed(reason.closed(CloseMode::Forced(cause.clone())));
    }
    match (reason, attempt.failed.get()) {
        (ForceReason::Failed(failure), _) => Outcome::Failed(failure),
        (ForceReason::Lost, _) => Outcome::Failed(CloseFailure::Lost),
        (_, Some(failure)) => Outcome::Failed(failure.clone()),
        (_, None) => Outcome::TimedOut { after: attempt.timeout },
    }
}

/// The outcome of a close whose end was `seen`, or could not be observed.
fn outcome(seen: &Option<CloseMode>) -> Outcome {
    seen.as_ref().map_or(Outcome::Unconfirmed, |mode| Outcome::Closed(mode.clone()))
}

/// Ends the close with `outcome`, unless it already has an outcome.
fn settle(record: &Arc<Record>, attempt: &Arc<Attempt>, outcome: Outcome) {
    let took = record.status.clock().since(attempt.start);
    take_outcome(record, attempt, outcome, took);
    attempt.settled.store(true, Ordering::Release);
    let graceful = attempt.graceful.lock().take();
    if let Some(mut task) = graceful {
        task.abort();
    }
}

/// Applies the outcome of `attempt` to the record, if `attempt` is the close in progress.
fn take_outcome(record: &Arc<Record>, attempt: &Arc<Attempt>, outcome: Outcome, took: Duration) {
    let retry = matches!(outcome, Outcome::TimedOut { .. } | Outcome::Failed(_));
    {
        let mut phase = record.phase.lock();
        match &*phase {
            Phase::Closing(underway) if Arc::ptr_eq(underway, attempt) => {}
            _ => return,
        }
        record.status.alarm.clear(Due::Grace);
        let seen = outcome != Outcome::Unconfirmed;
        *phase = if retry { Phase::Open } else { Phase::Closed { seen } };
    }
    let status = &record.status;
    if !retry {
        status.alarm.clear(Due::Look);
        if let Some(set) = record.set.upgrade() {
            // The registry is updated before the end is reported, so that an observer of `Closed`
            // finds the number of peers and the retained peers up to date.
            let _panicked = catch_unwind(AssertUnwindSafe(|| set.closed(record)));
        }
    }
    let reason = attempt.reason;
    match &outcome {
        Outcome::Closed(mode) => tell_closed(record, reason, mode.clone(), took),
        outcome => {
            let end = End { reason, mode: None };
            let ended = *outcome == Outcome::Unconfirmed && record.end.set(end.clone()).is_ok();
            status.tell(|| EventKind::NotClosed { reason, outcome, took });
            if ended {
                record.status.life.ended.set(end);
            }
        }
    }
    let result = CloseResult { outcome, took, stuck: StuckTasks::default() };
    match record.tasks.get().filter(|tasks| !tasks.is_empty()) {
        None => attempt.end(status, result),
        Some(tasks) => join_tasks(record, tasks, attempt, result),
    }
    // If the connection ended just after the close gave up, nothing else would note the end.
    if let (true, Some(cause)) = (retry, attempt.ended.get()) {
        ended_by_itself(Arc::clone(record), cause.clone());
    }
}

/// Waits for the peer's tasks within the bound of the close, and then ends the close.
fn join_tasks(record: &Record, tasks: &TaskGroup, attempt: &Arc<Attempt>, result: CloseResult) {
    let clock = record.status.clock();
    let floor = clock.after(FORCE_FLOOR);
    let stopped = if attempt.aborted.load(Ordering::Acquire) {
        tasks.shutdown_by(clock.now(), floor)
    } else {
        tasks.shutdown_by(attempt.grace_end(), attempt.deadline().max(floor))
    };
    let (status, attempt) = (Arc::clone(&record.status), Arc::clone(attempt));
    drop(Runtime::spawn_background(async move {
        let stuck = stopped.await;
        if !stuck.is_empty() {
            status.tell(|| EventKind::TasksStuck { tasks: &stuck });
        }
        attempt.end(&status, CloseResult { stuck, ..result });
    }));
}

/// Reports the end of the connection. This is the only function that does, and it does so once.
fn tell_closed(record: &Record, reason: CloseReason, mode: CloseMode, took: Duration) {
    let end = End { reason, mode: Some(mode) };
    if record.end.set(end.clone()).is_ok()
        && let Some(mode) = &end.mode
    {
        record.status.tell(|| EventKind::Closed { reason, mode, took });
        record.status.life.ended.set(end);
    }
}
