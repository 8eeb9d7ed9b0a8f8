//! The record of one peer: its parts, and the phase of its life.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::close::attempt::Attempt;
use super::connection::Connection;
use super::life::End;
use super::options::ReaperOptions;
use super::reaping::Reaping;
use super::status::Status;
use crate::close_options::CloseOptions;
use crate::outcome::{CloseReason, ForceCause};
use crate::probe::{Probed, Retention};
use crate::runtime::background::foreign;
use crate::runtime::{BoxFuture, Runtime};
use crate::state::ConnectionState;
use crate::stats::StatsReport;
use crate::sync::atomic::AtomicBool;
use crate::sync::{Completion, Mutex, OnceLock};
use crate::task::{Owner, TaskGroup};

/// The options of a peer, after the defaults of its set were applied.
#[derive(Clone, Copy)]
pub(super) struct RecordOptions {
    pub(super) close: CloseOptions,
    pub(super) reaper: ReaperOptions,
    pub(super) handler_budget: Duration,
    pub(super) timed_tasks: bool,
}

/// What a record needs from the set that it belongs to.
pub(super) trait Set: Send + Sync {
    /// Stops counting a record whose connection has ended as open. Further calls do nothing.
    fn uncount(&self, record: &Record);

    /// Notes that a record is closed: the set drops its ownership of the peer, and watches what the
    /// application still holds of the connection.
    fn closed(&self, record: &Arc<Record>);

    /// Whether the set itself owns the peer.
    fn keeps(&self, record: &Record) -> bool;

    /// Removes a record that is being dropped.
    fn forget(&self, record: &Record);
}

/// The record of one peer, which its owners, its set and its closes share.
pub(super) struct Record {
    pub(super) status: Arc<Status>,
    pub(super) connection: Arc<dyn Connection>,
    pub(super) runtime: Runtime,
    pub(super) set: Weak<dyn Set>,
    pub(super) options: CloseOptions,
    pub(super) phase: Mutex<Phase>,
    pub(super) end: OnceLock<End>,
    pub(super) reaping: Reaping,
    /// Whether the peer counts towards the limits of its set.
    pub(super) counted: AtomicBool,
    /// Whether [`Connection::release`] was called.
    pub(super) releasing: AtomicBool,
    /// Set when [`Connection::release`] has returned.
    pub(super) released: Completion<()>,
    /// The peer's tasks; empty until somebody asks for them.
    pub(super) tasks: OnceLock<TaskGroup>,
    timed_tasks: bool,
    /// The application's data, see [`PeerOptions::data`](crate::PeerOptions::data).
    pub(super) data: Option<Arc<dyn Any + Send + Sync>>,
}

/// The phase of a peer's life.
pub(super) enum Phase {
    /// The connection is open. A close that timed out or failed leads back here.
    Open,
    /// The connection has ended by itself, and no close was requested yet.
    Ended(ForceCause),
    /// A close is in progress.
    Closing(Arc<Attempt>),
    /// The peer is closed.
    Closed {
        /// Whether the end of the connection was observed.
        seen: bool,
    },
}

impl Record {
    pub(super) fn new(
        status: Arc<Status>,
        connection: Arc<dyn Connection>,
        runtime: Runtime,
        options: RecordOptions,
        data: Option<Arc<dyn Any + Send + Sync>>,
        set: Weak<dyn Set>,
    ) -> Arc<Self> {
        let RecordOptions { close, reaper, timed_tasks, .. } = options;
        let reaping = Reaping::new(reaper, status.clock().now());
        Arc::new(Self {
            status,
            connection,
            runtime,
            set,
            options: close,
            phase: Mutex::new(Phase::Open),
            end: OnceLock::new(),
            reaping,
            counted: AtomicBool::new(true),
            releasing: AtomicBool::new(false),
            released: Completion::new(),
            tasks: OnceLock::new(),
            timed_tasks,
            data,
        })
    }

    /// The peer's tasks. The group is cancelled once a close has begun or the connection has ended.
    pub(super) fn tasks(&self) -> &TaskGroup {
        let mut is_new = false;
        let tasks = self.tasks.get_or_init(|| {
            is_new = true;
            let (peer, watch) = (Some(self.status.id.clone()), self.status.watch.clone());
            TaskGroup::owned(self.runtime.clone(), Owner { peer, watch }, self.timed_tasks)
        });
        if is_new {
            // Observers are told only after the cell is set, because an observer may call this
            // function.
            tasks.tell_created();
            #[cfg(feature = "test-util")]
            crate::known::know_group(tasks.downgrade(), Some(self.status.set));
        }
        // A close first sets the phase and then cancels the tasks, so a group that is created in
        // between is cancelled here.
        if !matches!(*self.phase.lock(), Phase::Open) {
            tasks.cancel();
        }
        tasks
    }

    /// Cancels the peer's tasks. Cooperative tasks are asked to stop, others are dropped.
    pub(super) fn cancel_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.cancel();
        }
    }

    /// Drops the peer's tasks, including cooperative tasks, at the end of the grace period.
    pub(super) fn abort_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.abort();
        }
    }

    /// Whether the peer is closed. False if the connection has only ended by itself.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Closed { .. })
    }

    /// Whether the connection has neither ended by itself nor been closed.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Open | Phase::Closing(_))
    }

    /// Why the peer is being closed, was closed, or ended; `None` while it is open.
    #[cfg(feature = "webrtc")]
    pub(super) fn closing_for(&self) -> Option<CloseReason> {
        match &*self.phase.lock() {
            Phase::Open => None,
            Phase::Closing(attempt) => Some(attempt.reason),
            Phase::Ended(_) | Phase::Closed { .. } => {
                Some(self.end.get().map_or(CloseReason::Ended, |end| end.reason))
            }
        }
    }

    /// The state of the connection: Closed once its end was observed, before that the state that
    /// the connection reports.
    pub(super) fn state(&self) -> Option<ConnectionState> {
        match self.end.get() {
            Some(End { mode: Some(_), .. }) => Some(ConnectionState::Closed),
            _ => self.connection.state(),
        }
    }

    /// Wraps a future that runs a connection's code: every poll is in the context of the peer's
    /// runtime, and may block its thread.
    pub(super) fn foreign<F>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + Send + 'static + use<F>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let runtime = self.runtime.clone();
        let mut future = Box::pin(future);
        foreign(std::future::poll_fn(move |cx| runtime.within(|| future.as_mut().poll(cx))))
    }
}

impl Probed for Record {
    fn stats(self: Arc<Self>) -> BoxFuture<Option<StatsReport>> {
        if self.is_open() {
            Arc::clone(&self.connection).stats()
        } else {
            Box::pin(std::future::ready(None))
        }
    }

    fn retention(&self) -> Option<Arc<dyn Retention>> {
        self.connection.retention()
    }
}

#[cfg(feature = "test-util")]
impl crate::known::KnownPeer for Record {
    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn describe(&self) -> crate::known::PeerDescription {
        crate::known::PeerDescription {
            set: self.status.set,
            id: self.status.id.clone(),
            group: self.status.group.clone(),
            state: self.state(),
            sockets: self.connection.sockets(),
        }
    }
}

impl Drop for Record {
    /// Ends the peer if it has not ended: its close did not succeed, and nobody holds it any more.
    fn drop(&mut self) {
        self.status.life.ended.set(End { reason: CloseReason::Dropped, mode: None });
        if let Some(set) = self.set.upgrade() {
            set.forget(self);
        }
        #[cfg(feature = "test-util")]
        crate::known::forget_peer(self);
    }
}
