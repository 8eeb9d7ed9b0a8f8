//! One peer: what it is, and how far it is.

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

/// How a record behaves.
#[derive(Clone, Copy)]
pub(super) struct RecordOptions {
    pub(super) close: CloseOptions,
    pub(super) reaper: ReaperOptions,
    pub(super) handler_budget: Duration,
    pub(super) timed_tasks: bool,
}

/// What a record needs of the set that it is in.
pub(super) trait Set: Send + Sync {
    /// Takes a record that has ended out of the numbers, once.
    fn uncount(&self, record: &Record);

    /// Takes note that a record is closed: its id is free, what is held of it is watched.
    fn closed(&self, record: &Arc<Record>);

    /// Whether the set itself owns the peer.
    fn keeps(&self, record: &Record) -> bool;

    /// Forgets a record that is being dropped.
    fn forget(&self, record: &Record);
}

pub(super) struct Record {
    pub(super) status: Arc<Status>,
    pub(super) connection: Arc<dyn Connection>,
    pub(super) runtime: Runtime,
    pub(super) set: Weak<dyn Set>,
    pub(super) options: CloseOptions,
    pub(super) phase: Mutex<Phase>,
    pub(super) end: OnceLock<End>,
    pub(super) reaping: Reaping,
    /// Whether it counts towards the limits of its set.
    pub(super) counted: AtomicBool,
    /// Whether the connection was told to let go, and when it has.
    pub(super) releasing: AtomicBool,
    pub(super) released: Completion<()>,
    /// Its tasks, once it has had any.
    pub(super) tasks: OnceLock<TaskGroup>,
    timed_tasks: bool,
    /// The application's own.
    pub(super) data: Option<Arc<dyn Any + Send + Sync>>,
}

pub(super) enum Phase {
    Open,
    /// It ended by itself, and no close has been asked for yet.
    Ended(ForceCause),
    Closing(Arc<Attempt>),
    Closed {
        /// Whether its end was seen.
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

    /// Its tasks; cancelled from when a close is begun or the connection has ended.
    pub(super) fn tasks(&self) -> &TaskGroup {
        let mut is_new = false;
        let tasks = self.tasks.get_or_init(|| {
            is_new = true;
            let (peer, watch) = (Some(self.status.id.clone()), self.status.watch.clone());
            TaskGroup::owned(self.runtime.clone(), Owner { peer, watch }, self.timed_tasks)
        });
        if is_new {
            // Not before it is there: an observer may ask for it.
            tasks.tell_created();
            #[cfg(feature = "test-util")]
            crate::known::know_group(tasks.downgrade(), Some(self.status.set));
        }
        // Whoever begins a close first says so, and then looks for tasks.
        if !matches!(*self.phase.lock(), Phase::Open) {
            tasks.cancel();
        }
        tasks
    }

    pub(super) fn cancel_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.cancel();
        }
    }

    /// Ends its tasks when the grace period is over, the cooperative ones too.
    pub(super) fn abort_tasks(&self) {
        if let Some(tasks) = self.tasks.get() {
            tasks.abort();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Closed { .. })
    }

    /// Whether the connection has neither ended by itself nor been closed.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Open | Phase::Closing(_))
    }

    /// Why it is being closed, was closed, or ended.
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

    pub(super) fn state(&self) -> Option<ConnectionState> {
        match self.end.get() {
            Some(End { mode: Some(_), .. }) => Some(ConnectionState::Closed),
            _ => self.connection.state(),
        }
    }

    /// Marks a connection's code, which runs in its runtime's context and may block its thread.
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
    /// A peer whose close did not succeed, and that nobody holds any more, has ended too.
    fn drop(&mut self) {
        self.status.life.ended.set(End { reason: CloseReason::Dropped, mode: None });
        if let Some(set) = self.set.upgrade() {
            set.forget(self);
        }
        #[cfg(feature = "test-util")]
        crate::known::forget_peer(self);
    }
}
