//! One peer: what it is, how far it is, and the work of closing it.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::close::{Closing, Ending};
use super::connection::{Connection, EndNotice};
use super::options::CloseOptions;
use super::outcome::{CloseFailure, CloseReason, Closure, ForceCause, Outcome};
use super::peers::Registry;
use crate::event::{Event, Watch};
use crate::id::{GroupId, PeerId};
use crate::runtime::background::foreign;
use crate::runtime::{JoinError, JoinHandle, Runtime, time};
use crate::state::ConnectionState;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Completion, Mutex};

/// What is known of a peer wherever something may happen to it.
pub(crate) struct Status {
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(crate) watch: Watch,
}

/// How a peer's life ended.
pub(super) struct End {
    pub(super) reason: CloseReason,
    /// `None` where the end cannot be seen.
    pub(super) closure: Option<Closure>,
}

pub(crate) struct Record {
    pub(super) status: Arc<Status>,
    pub(super) connection: Arc<dyn Connection>,
    pub(super) end: Completion<End>,
    pub(super) registry: Weak<Registry>,
    runtime: Runtime,
    options: CloseOptions,
    phase: Mutex<Phase>,
    /// Whether the connection was told to let go.
    released: AtomicBool,
}

enum Phase {
    Open,
    /// It ended by itself, and no close has been asked for yet.
    Ended,
    Closing {
        ending: Arc<Completion<Ending>>,
        reason: CloseReason,
        /// Set when the connection ends by itself meanwhile.
        ended: Option<ForceCause>,
    },
    Closed,
}

impl Record {
    pub(super) fn new(
        status: Arc<Status>,
        connection: Arc<dyn Connection>,
        runtime: Runtime,
        options: CloseOptions,
        registry: Weak<Registry>,
    ) -> Arc<Self> {
        Arc::new(Self {
            status,
            connection,
            end: Completion::new(),
            registry,
            runtime,
            options,
            phase: Mutex::new(Phase::Open),
            released: AtomicBool::new(false),
        })
    }

    /// Called once the record is registered, so that an end is never told before the beginning.
    pub(super) fn opened(self: &Arc<Self>) {
        self.status
            .watch
            .tell(|| Event::Opened { peer: &self.status.id, group: self.status.group.as_ref() });
        self.connection.watch_end(EndNotice(Arc::downgrade(self)));
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Closed)
    }

    /// Whether the connection has neither ended by itself nor been closed.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Open | Phase::Closing { .. })
    }

    /// Why it is being closed, was closed, or ended.
    #[cfg(feature = "webrtc")]
    pub(super) fn closing_for(&self) -> Option<CloseReason> {
        match &*self.phase.lock() {
            Phase::Open => None,
            Phase::Closing { reason, .. } => Some(*reason),
            Phase::Ended | Phase::Closed => {
                Some(self.end.get().map_or(CloseReason::Ended, |end| end.reason))
            }
        }
    }

    pub(super) fn state(&self) -> Option<ConnectionState> {
        match self.end.get() {
            Some(End { closure: Some(_), .. }) => Some(ConnectionState::Closed),
            _ => self.connection.state(),
        }
    }

    /// Begins a close, or joins the one under way. Never waits, never panics.
    pub(super) fn close(self: &Arc<Self>, reason: CloseReason) -> Closing {
        self.close_with(reason, self.options)
    }

    pub(super) fn close_with(
        self: &Arc<Self>,
        reason: CloseReason,
        options: CloseOptions,
    ) -> Closing {
        let start = Instant::now();
        let (ending, ended) = {
            let mut phase = self.phase.lock();
            let ended = match &*phase {
                Phase::Open => false,
                Phase::Ended => true,
                Phase::Closing { ending, .. } => {
                    return Closing::pending(Arc::clone(ending), &self.connection);
                }
                Phase::Closed => return Closing::ready(Outcome::AlreadyClosed),
            };
            let ending = Arc::new(Completion::new());
            *phase = Phase::Closing { ending: Arc::clone(&ending), reason, ended: None };
            (ending, ended)
        };
        self.status.watch.tell(|| Event::CloseStarted { peer: &self.status.id, reason });
        let closing = Closing::pending(ending, &self.connection);
        let record = Arc::clone(self);
        let work = async move {
            let outcome = if ended {
                record.await_end(start, options).await
            } else {
                record.end_connection(start, options).await
            };
            record.settle(outcome, reason, start.elapsed());
        };
        drop(Runtime::spawn_background(work));
        closing
    }

    /// Called by the connection, on any thread, when it has ended without being asked.
    pub(super) fn ended_by_itself(self: Arc<Self>, cause: ForceCause) {
        {
            let mut phase = self.phase.lock();
            match &mut *phase {
                Phase::Open => *phase = Phase::Ended,
                // The close under way sees the end itself, unless it has given up by then.
                Phase::Closing { ended, .. } => {
                    *ended = Some(cause);
                    return;
                }
                Phase::Ended | Phase::Closed => return,
            }
        }
        let (_, grace) = self.options.bounds();
        let work = async move {
            self.release(Instant::now() + grace).await;
            self.ended(CloseReason::Ended, Closure::Forced(cause), Duration::ZERO);
            // A detached peer has no owner whose drop would close it.
            if self.registry.upgrade().is_some_and(|registry| registry.keeps(&self)) {
                drop(self.close(CloseReason::Ended));
            }
        };
        drop(Runtime::spawn_background(work));
    }

    /// For a connection that ended by itself: waits until that is settled.
    async fn await_end(&self, start: Instant, options: CloseOptions) -> Outcome {
        let (timeout, _) = options.bounds();
        let end = std::pin::pin!(self.end.wait());
        match time::by(start + timeout, end).await {
            Some(End { closure: Some(closure), .. }) => Outcome::Closed(closure.clone()),
            Some(End { closure: None, .. }) => Outcome::Unconfirmed,
            None => Outcome::TimedOut { after: timeout },
        }
    }

    /// Graceful first, forced after; then the application is told, and let go of.
    async fn end_connection(self: &Arc<Self>, start: Instant, options: CloseOptions) -> Outcome {
        let (timeout, grace) = options.bounds();
        let (grace_end, deadline) = (start + grace.min(timeout), start + timeout);
        let seen = Arc::new(OnceLock::new());
        let mut close = self.attempt({
            let (record, seen) = (Arc::clone(self), Arc::clone(&seen));
            async move {
                let closed = Arc::clone(&record.connection).close().await;
                let closed = closed.map_err(|error| CloseFailure::Error(error.to_string()))?;
                // What was seen stands, whatever the application makes of being told.
                let _first = seen.set(closed);
                record.release_once().await;
                Ok(())
            }
        });
        let mut ended = time::by(grace_end, &mut close).await;
        if seen.get().is_none() {
            let forced = self.abort(deadline).await;
            let failure = ended.take().and_then(failure);
            match (forced, failure) {
                // It may have ended in order after all, just before.
                (Some(_), _) if seen.get().is_some() => {}
                (Some(cause), failure) => {
                    close.abort();
                    self.release(deadline).await;
                    let cause = failure.map_or(cause, ForceCause::Failed);
                    return Outcome::Closed(Closure::Forced(cause));
                }
                (None, Some(failure)) => return Outcome::Failed(failure),
                // It cannot be forced: all that is left is the rest of the bound.
                (None, None) => {}
            }
        }
        if ended.is_none() {
            ended = time::by(deadline, &mut close).await;
        }
        match seen.get() {
            Some(Some(closure)) => Outcome::Closed(closure.clone()),
            Some(None) => Outcome::Unconfirmed,
            None => {
                close.abort();
                let failure = ended.and_then(failure);
                failure.map_or(Outcome::TimedOut { after: timeout }, Outcome::Failed)
            }
        }
    }

    async fn abort(&self, deadline: Instant) -> Option<ForceCause> {
        let connection = Arc::clone(&self.connection);
        let mut abort = self.attempt(async move { connection.abort() });
        time::by(deadline, &mut abort).await.and_then(Result::ok).flatten()
    }

    /// Lets the connection tell the application, at most until `deadline`.
    async fn release(self: &Arc<Self>, deadline: Instant) {
        let record = Arc::clone(self);
        let mut release = self.attempt(async move { record.release_once().await });
        let _told_or_not = time::by(deadline, &mut release).await;
    }

    async fn release_once(&self) {
        if !self.released.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.connection).release().await;
        }
    }

    /// Runs a connection's code in its runtime's context, on a thread that it may block.
    fn attempt<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let runtime = self.runtime.clone();
        let mut future = Box::pin(future);
        let within = std::future::poll_fn(move |cx| runtime.within(|| future.as_mut().poll(cx)));
        Runtime::spawn_background(foreign(within))
    }

    fn settle(self: &Arc<Self>, outcome: Outcome, reason: CloseReason, took: Duration) {
        let late_end = {
            let mut phase = self.phase.lock();
            let retry = matches!(outcome, Outcome::TimedOut { .. } | Outcome::Failed(_));
            let next = if retry { Phase::Open } else { Phase::Closed };
            match std::mem::replace(&mut *phase, next) {
                Phase::Closing { ending, ended, .. } => Some((ending, ended.filter(|_| retry))),
                Phase::Open | Phase::Ended | Phase::Closed => None,
            }
        };
        match &outcome {
            Outcome::Closed(closure) => self.ended(reason, closure.clone(), took),
            outcome => {
                if *outcome == Outcome::Unconfirmed {
                    self.end.set(End { reason, closure: None });
                }
                self.status.watch.tell(|| Event::NotClosed {
                    peer: &self.status.id,
                    reason,
                    outcome,
                    took,
                });
            }
        }
        if let Some(registry) = self.registry.upgrade()
            && self.is_closed()
        {
            registry.closed(self);
        }
        if let Some((ending, ended)) = late_end {
            ending.set(Ending { outcome, took });
            if let Some(cause) = ended {
                Arc::clone(self).ended_by_itself(cause);
            }
        }
    }

    /// The one place that tells a Closed.
    fn ended(&self, reason: CloseReason, closure: Closure, took: Duration) {
        if self.end.set(End { reason, closure: Some(closure) })
            && let Some(End { closure: Some(closure), .. }) = self.end.get()
        {
            let peer = &self.status.id;
            self.status.watch.tell(|| Event::Closed { peer, reason, closure, took });
        }
    }
}

/// Why a connection's own close did not do its work, if it did not.
fn failure(ended: Result<Result<(), CloseFailure>, JoinError>) -> Option<CloseFailure> {
    match ended {
        Ok(ended) => ended.err(),
        Err(JoinError::Panicked(message)) => Some(CloseFailure::Panicked(message)),
        Err(error) => Some(CloseFailure::Error(error.to_string())),
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.forget(self);
        }
    }
}
