//! One peer: what it is, how far it is, and the work of closing it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::attempt::{Attempt, FORCE_FLOOR};
use super::close::{Closing, Ending};
use super::connection::{Connection, EndNotice, ReleaseNotice};
use super::held::Holders;
use super::options::CloseOptions;
use super::outcome::{CloseReason, Closure, ForceCause, Outcome};
use super::probe::Probe;
use super::reaper::{ReaperOptions, Reaping};
use super::registry::Registry;
use super::sweep::Sweep;
use crate::event::{Event, Target, Watch};
use crate::id::{GroupId, PeerId};
use crate::runtime::background::foreign;
use crate::runtime::{JoinHandle, Runtime, time};
use crate::state::ConnectionState;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Completion, Mutex, OnceLock};
use crate::task::{Owner, StuckTasks, TaskGroup};

/// What is known of a peer wherever something may happen to it.
pub(crate) struct Status {
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(crate) watch: Watch,
    /// What to ask for what is held of the connection, once it is closed.
    pub(super) holders: OnceLock<Arc<dyn Holders>>,
}

impl Status {
    pub(super) fn new(id: PeerId, group: Option<GroupId>, watch: &Watch) -> Self {
        let watch = watch.for_peer(&id, group.as_ref());
        Self { id, group, watch, holders: OnceLock::new() }
    }
}

/// How a peer's life ended.
#[derive(Clone)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    /// `None` where the end cannot be seen.
    pub(super) closure: Option<Closure>,
}

/// How a record behaves.
#[derive(Clone, Copy)]
pub(super) struct RecordOptions {
    pub(super) close: CloseOptions,
    pub(super) reaper: ReaperOptions,
    pub(super) handler_budget: Duration,
    pub(super) timed_tasks: bool,
}

pub(crate) struct Record {
    pub(super) status: Arc<Status>,
    pub(super) connection: Arc<dyn Connection>,
    pub(super) end: OnceLock<End>,
    /// The end, from when the observer was told: who waits for it waits for this.
    pub(super) told: Completion<End>,
    pub(super) registry: Weak<Registry>,
    pub(super) runtime: Runtime,
    pub(super) reaping: Reaping,
    /// Whether it counts towards the limits of its set.
    pub(super) counted: AtomicBool,
    options: CloseOptions,
    timed_tasks: bool,
    /// Its tasks, once it has had any.
    tasks: OnceLock<TaskGroup>,
    phase: Mutex<Phase>,
    /// Whether the connection was told to let go, and when it has.
    releasing: AtomicBool,
    released: Completion<()>,
}

enum Phase {
    Open,
    /// It ended by itself, and no close has been asked for yet.
    Ended(ForceCause),
    Closing {
        attempt: Arc<Attempt>,
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
        options: RecordOptions,
        registry: Weak<Registry>,
    ) -> Arc<Self> {
        let RecordOptions { close, reaper, timed_tasks, .. } = options;
        Arc::new(Self {
            status,
            connection,
            end: OnceLock::new(),
            told: Completion::new(),
            registry,
            runtime,
            reaping: Reaping::new(reaper),
            counted: AtomicBool::new(true),
            options: close,
            timed_tasks,
            tasks: OnceLock::new(),
            phase: Mutex::new(Phase::Open),
            releasing: AtomicBool::new(false),
            released: Completion::new(),
        })
    }

    /// Called once the record is registered, so that an end is never told before the beginning.
    pub(super) fn opened(self: &Arc<Self>) {
        let Status { id: peer, group, watch, .. } = &*self.status;
        if watch.is_attached() {
            let notice = ReleaseNotice(Some(Arc::clone(&self.status)));
            let tells_release = self.connection.watch_release(notice);
            let (record, status) = (Arc::downgrade(self), Arc::downgrade(&self.status));
            let tells_state = self.connection.state().is_some();
            let probe = &Probe { record, status, tells_release, tells_state };
            watch.tell(|| Event::Opened { peer, group: group.as_ref(), probe });
        }
        self.connection.watch_end(EndNotice(Arc::downgrade(self)));
    }

    /// Its tasks; cancelled from when a close is begun or the connection has ended.
    pub(super) fn tasks(&self) -> &TaskGroup {
        let tasks = self.tasks.get_or_init(|| {
            let (peer, watch) = (Some(self.status.id.clone()), self.status.watch.clone());
            let owner = Owner { peer, watch };
            let tasks = TaskGroup::owned(self.runtime.clone(), owner, self.timed_tasks);
            tasks.tell_made();
            #[cfg(feature = "test-util")]
            crate::test_util::know_group(&tasks, Some(self.registry.clone()));
            tasks
        });
        // Whoever begins a close first says so, and then looks for tasks.
        if !matches!(*self.phase.lock(), Phase::Open) {
            tasks.cancel();
        }
        tasks
    }

    fn cancel_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.cancel();
        }
    }

    /// The grace period is over, for cooperative ones too.
    pub(super) fn abort_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.abort();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Closed)
    }

    /// Whether the connection has neither ended by itself nor been closed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Open | Phase::Closing { .. })
    }

    /// Why it is being closed, was closed, or ended.
    #[cfg(feature = "webrtc")]
    pub(super) fn closing_for(&self) -> Option<CloseReason> {
        match &*self.phase.lock() {
            Phase::Open => None,
            Phase::Closing { attempt, .. } => Some(attempt.reason),
            Phase::Ended(_) | Phase::Closed => {
                Some(self.end.get().map_or(CloseReason::Ended, |end| end.reason))
            }
        }
    }

    pub(crate) fn state(&self) -> Option<ConnectionState> {
        match self.end.get() {
            Some(End { closure: Some(_), .. }) => Some(ConnectionState::Closed),
            _ => self.connection.state(),
        }
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn connection(&self) -> &dyn Connection {
        &*self.connection
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn registry(&self) -> &Weak<Registry> {
        &self.registry
    }

    /// Begins a close, or joins the one under way. Never waits, never panics.
    pub(super) fn close(self: &Arc<Self>, reason: CloseReason) -> Closing {
        self.close_with(reason, self.options, None)
    }

    /// [`close`](Self::close), as one of many.
    pub(super) fn close_in(
        self: &Arc<Self>,
        reason: CloseReason,
        sweep: Option<&Arc<Sweep>>,
    ) -> Closing {
        self.close_with(reason, self.options, sweep)
    }

    pub(super) fn close_with(
        self: &Arc<Self>,
        reason: CloseReason,
        options: CloseOptions,
        sweep: Option<&Arc<Sweep>>,
    ) -> Closing {
        let start = Instant::now();
        if let Some(sweep) = sweep {
            sweep.expect();
        }
        let (attempt, ended) = {
            let mut phase = self.phase.lock();
            let ended = match &*phase {
                Phase::Open => None,
                Phase::Ended(cause) => Some(cause.clone()),
                Phase::Closing { attempt, .. } => {
                    let attempt = Arc::clone(attempt);
                    drop(phase);
                    attempt.join(sweep);
                    return Closing::pending(&attempt, &self.connection);
                }
                Phase::Closed => {
                    drop(phase);
                    if let Some(sweep) = sweep {
                        sweep.note(&Outcome::AlreadyClosed);
                    }
                    let target = Target::Peer(&self.status.id);
                    return Closing::ready(&self.status.watch, target, Outcome::AlreadyClosed);
                }
            };
            let attempt = Attempt::new(Arc::clone(self), reason, start, options);
            attempt.join(sweep);
            *phase = Phase::Closing { attempt: Arc::clone(&attempt), ended: None };
            (attempt, ended)
        };
        let (peer, watch) = (&self.status.id, &self.status.watch);
        let (id, target) = (attempt.id, Target::Peer(peer));
        watch.tell(|| Event::OperationStarted { id, operation: "close", target });
        watch.tell(|| Event::CloseStarted { peer, reason });
        let closing = Closing::pending(&attempt, &self.connection);
        match ended {
            Some(cause) => attempt.start_ended(cause),
            None => attempt.start(),
        }
        self.cancel_tasks();
        closing
    }

    /// Called by the connection, on any thread, when it has ended without being asked.
    pub(super) fn ended_by_itself(self: Arc<Self>, cause: ForceCause) {
        {
            let mut phase = self.phase.lock();
            match &mut *phase {
                Phase::Open => *phase = Phase::Ended(cause.clone()),
                // The close under way sees the end itself, unless it has given up by then.
                Phase::Closing { ended, .. } => {
                    *ended = Some(cause);
                    return;
                }
                Phase::Ended(_) | Phase::Closed => return,
            }
        }
        if let Some(registry) = self.registry.upgrade() {
            registry.uncount(&self);
        }
        self.cancel_tasks();
        let (_, grace) = self.options.bounds();
        drop(Runtime::spawn_background(async move {
            self.release_by(time::after(Instant::now(), grace)).await;
            self.ended(CloseReason::Ended, Closure::Forced(cause), Duration::ZERO);
            // A detached peer has no owner whose drop would close it.
            if self.registry.upgrade().is_some_and(|registry| registry.keeps(&self)) {
                drop(self.close(CloseReason::Ended));
            }
        }));
    }

    /// Lets the connection tell the application, and let go; the first call does, and others wait
    /// for it.
    pub(super) async fn release_once(&self) {
        if self.releasing.swap(true, Ordering::AcqRel) {
            self.released.wait().await;
        } else {
            Arc::clone(&self.connection).release().await;
            self.released.set(());
        }
    }

    /// [`release_once`](Self::release_once) on a thread of ours, waited for until `deadline`.
    pub(super) async fn release_by(self: &Arc<Self>, deadline: Instant) {
        let record = Arc::clone(self);
        let mut release = self.attempt(async move { record.release_once().await });
        let _told_or_not = time::by(deadline, &mut release).await;
    }

    /// Runs a connection's code in its runtime's context, on a thread that it may block.
    pub(super) fn attempt<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        Runtime::spawn_background(foreign(self.within(future)))
    }

    /// `future`, polled in the context of the peer's runtime wherever it is polled.
    pub(super) fn within<F>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + Send + 'static + use<F>
    where
        F: Future + Send + 'static,
    {
        let runtime = self.runtime.clone();
        let mut future = Box::pin(future);
        std::future::poll_fn(move |cx| runtime.within(|| future.as_mut().poll(cx)))
    }

    /// Takes the outcome of `attempt`, if that is the close under way.
    pub(super) fn settle(
        self: &Arc<Self>,
        attempt: &Arc<Attempt>,
        outcome: Outcome,
        took: Duration,
    ) {
        let retry = matches!(outcome, Outcome::TimedOut { .. } | Outcome::Failed(_));
        let ended = {
            let mut phase = self.phase.lock();
            match &mut *phase {
                Phase::Closing { attempt: underway, ended } if Arc::ptr_eq(underway, attempt) => {
                    let ended = ended.take();
                    *phase = if retry { Phase::Open } else { Phase::Closed };
                    ended
                }
                _ => return,
            }
        };
        if !retry && let Some(registry) = self.registry.upgrade() {
            // It asks the connection what is held: whoever is told Closed can ask that too.
            let _panicked = catch_unwind(AssertUnwindSafe(|| registry.closed(self)));
        }
        let (peer, reason) = (&self.status.id, attempt.reason);
        match &outcome {
            Outcome::Closed(closure) => self.ended(reason, closure.clone(), took),
            outcome => {
                let end = End { reason, closure: None };
                let ended = *outcome == Outcome::Unconfirmed && self.end.set(end.clone()).is_ok();
                let watch = &self.status.watch;
                watch.tell(|| Event::NotClosed { peer, reason, outcome, took });
                if ended {
                    self.told.set(end);
                }
            }
        }
        let over = Ending { outcome, took, stuck: StuckTasks::default() };
        match self.tasks.get().filter(|tasks| !tasks.is_empty()) {
            None => attempt.end(over),
            Some(tasks) => self.join_tasks(tasks, attempt, over),
        }
        // Nobody else will see that it has ended, should the close have given up.
        if let (true, Some(cause)) = (retry, ended) {
            Arc::clone(self).ended_by_itself(cause);
        }
    }

    /// Waits for the tasks within the bound of the close, and only then says that it is over.
    fn join_tasks(self: &Arc<Self>, tasks: &TaskGroup, attempt: &Arc<Attempt>, over: Ending) {
        let (grace, deadline) = attempt.deadlines();
        let deadline = deadline.max(time::after(Instant::now(), FORCE_FLOOR));
        let stopped = tasks.shutdown_by(grace, deadline);
        let (status, attempt) = (Arc::clone(&self.status), Arc::clone(attempt));
        drop(Runtime::spawn_background(async move {
            let stuck = stopped.await;
            if !stuck.is_empty() {
                status.watch.tell(|| Event::TasksStuck { peer: &status.id, tasks: &stuck });
            }
            attempt.end(Ending { stuck, ..over });
        }));
    }

    /// The one place that tells a Closed.
    fn ended(&self, reason: CloseReason, closure: Closure, took: Duration) {
        let end = End { reason, closure: Some(closure) };
        if self.end.set(end.clone()).is_ok()
            && let Some(closure) = &end.closure
        {
            let peer = &self.status.id;
            self.status.watch.tell(|| Event::Closed { peer, reason, closure, took });
            self.told.set(end);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.forget(self);
        }
    }
}
