//! The monitor's handle.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::book::Book;
use super::core::Core;
use super::ending::Ending;
use super::feed::{Feed, UpdateId, Updates};
use super::fold::SetFold;
use super::health::{Health, Vitals};
use super::metrics::Metrics;
use super::operation::OperationBuilder;
use super::options::{Limits, SampleOptions};
use super::sampler;
use super::scan::Page;
use super::sink::Sink;
use super::snapshot::{ConnectionInfo, OperationInfo, Summary, TaskReport};
use super::tasks::StuckOptions;
use crate::event::Observer;
use crate::id::OperationId;
use crate::peer::PeersBuilder;
use crate::redact::Redactor;
use crate::runtime::{Runtime, StartError};
use crate::state::DataChannelState;

/// Watches any number of [`Peers`](crate::Peers), and answers for all that happens in them.
///
/// Clones are handles to the same monitor. It holds no connection: what it knows is folded from
/// events, in bounded memory ([`Limits`]), at a cost of some tens of nanoseconds an event. It keeps
/// no secret.
///
/// ```
/// use anypeer::Peers;
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// assert_eq!(monitor.summary().states.total(), 0);
///
/// let sum = monitor.operation("sum").call(|| 1 + 2);
/// assert_eq!((sum, monitor.summary().operations.completed), (3, 1));
/// # drop(peers);
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct Monitor {
    core: Arc<Core>,
    book: Arc<Book>,
    stuck: StuckOptions,
}

/// Configures a [`Monitor`].
#[derive(Clone, Default)]
#[must_use]
pub struct MonitorBuilder {
    limits: Limits,
    sample: SampleOptions,
    stuck: StuckOptions,
    redactor: Redactor,
    sink: Option<StartSink>,
}

type StartSink = Arc<dyn Fn() -> Result<Arc<dyn Sink>, StartError> + Send + Sync>;

impl MonitorBuilder {
    /// How much it keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How it samples statistics.
    pub fn sample(mut self, sample: SampleOptions) -> Self {
        self.sample = sample;
        self
    }

    /// When it calls a task stuck.
    pub fn stuck(mut self, stuck: StuckOptions) -> Self {
        self.stuck = stuck;
        self
    }

    /// Whether to take addresses out of all that is kept, besides what is always taken out: ICE
    /// passwords, TURN credentials, tokens. By default not.
    pub fn redact_addresses(mut self, redact: bool) -> Self {
        self.redactor.addresses = redact;
        self
    }

    /// Takes a secret of the host's out of all that it keeps.
    pub fn redact(mut self, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        if !secret.is_empty() {
            self.redactor.tokens.push(secret.into());
        }
        self
    }

    /// Who else is told, started with the monitor.
    #[cfg(feature = "log")]
    pub(crate) fn sink(
        mut self,
        start: impl Fn() -> Result<Arc<dyn Sink>, StartError> + Send + Sync + 'static,
    ) -> Self {
        self.sink = Some(Arc::new(start));
        self
    }

    /// The monitor, watching nothing yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a thread that it needs could not be started: that which samples, or that
    /// which writes the log.
    pub fn build(self) -> Result<Monitor, StartError> {
        Runtime::background()?;
        let sink = self.sink.map(|start| start()).transpose()?;
        let book = Arc::new(Book::new(self.limits.closed_connections));
        let core = Arc::new(Core::new(&book, self.limits, self.redactor, sink));
        sampler::start(&core, &book, self.sample, self.stuck);
        Ok(Monitor { core, book, stuck: self.stuck })
    }
}

impl fmt::Debug for MonitorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorBuilder")
            .field("limits", &self.limits)
            .field("sample", &self.sample)
            .field("stuck", &self.stuck)
            .finish_non_exhaustive()
    }
}

impl PeersBuilder {
    /// Has `monitor` watch the peers, and times their tasks.
    pub fn monitor(self, monitor: &Monitor) -> Self {
        self.observer(monitor.observer()).timed_tasks(true)
    }
}

impl Monitor {
    /// A monitor with default options.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that samples could not be started.
    pub fn new() -> Result<Self, StartError> {
        Self::builder().build()
    }

    /// Configures one.
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }

    /// The time, as it tells it.
    #[cfg(feature = "http")]
    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.core.clock.wall(Instant::now())
    }

    /// Whether what it sees is written to a log.
    #[cfg(feature = "http")]
    pub(crate) fn is_logged(&self) -> bool {
        self.core.sink.is_some()
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Who tells it: for [`PeersBuilder::observer`](crate::peer::PeersBuilder::observer) and for
    /// task groups. [`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor) is the shorter
    /// way, and also times tasks.
    #[must_use]
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(SetFold { core: Arc::clone(&self.core) })
    }

    /// The whole in numbers, in constant time.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (core, counters) = (&self.core, &self.core.counters);
        let states = counters.states();
        let (tasks, stuck, orphaned) = core.tasks.summary();
        let now = Instant::now();
        let held = counters.unreleased.get();
        let sink = core.sink.as_ref();
        let dropped = sink.map_or(0, |it| it.dropped().iter().map(|(_, count)| count).sum());
        let is_dropping = sink.is_some_and(|sink| sink.is_dropping());
        let vitals = Vitals {
            live: states.live(),
            failed: states.failed,
            not_closed: counters.not_closed.get(),
            stuck,
            orphaned,
            held,
            dropped: if is_dropping { dropped } else { 0 },
        };
        Summary {
            uptime: core.clock.since_start(now),
            at: core.clock.wall(now),
            states,
            operations: core.operations.counts(),
            tasks,
            orphaned_tasks: orphaned,
            stuck_tasks: stuck,
            unreleased: held,
            open_channels: counters.channel(DataChannelState::Open).get(),
            events: counters.events.get(),
            dropped,
            health: Health::of(&vitals),
        }
    }

    /// Every number, from counters.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.core.metrics()
    }

    /// A live connection of that id, or else the last one that has ended and is still known.
    #[must_use]
    pub fn connection(&self, id: impl AsRef<str>) -> Option<ConnectionInfo> {
        self.book.get(id.as_ref()).map(|connection| self.core.connection_info(&connection))
    }

    /// At most `limit` live connections, in the order of their opening, after the one of that
    /// [number](ConnectionInfo::number); 0 for the first.
    #[must_use]
    pub fn connections(&self, after: u64, limit: usize) -> Vec<ConnectionInfo> {
        let live = self.book.live_after(after, limit);
        live.iter().map(|connection| self.core.connection_info(connection)).collect()
    }

    /// The connections that have ended and are still known, the last one first.
    #[must_use]
    pub fn closed(&self) -> Vec<ConnectionInfo> {
        self.book.closed_before(None).iter().map(|(_, it)| self.core.connection_info(it)).collect()
    }

    /// Starts an operation of the application's own, under a name for its kind.
    #[inline]
    pub fn operation(&self, kind: &'static str) -> OperationBuilder {
        OperationBuilder::new(Arc::clone(&self.core), kind)
    }

    /// An operation that is under way, or has ended and is still known.
    #[must_use]
    pub fn operation_info(&self, id: OperationId) -> Option<OperationInfo> {
        self.core.operations.get(id, |record| self.core.operation_info(record))
    }

    /// At most `limit` operations that are under way, in the order of their start, after one.
    #[must_use]
    pub fn operations(&self, after: Option<OperationId>, limit: usize) -> Vec<OperationInfo> {
        self.core.operations.active(after, limit, |record| self.core.operation_info(record))
    }

    /// At most `limit` operations that have ended, are still known, and that `takes` takes by how
    /// they ended, the last one first; after a [place](Page::next) that a page before has given, if
    /// one has.
    #[must_use]
    pub fn finished_operations(
        &self,
        after: Option<u64>,
        limit: usize,
        takes: impl Fn(&Ending) -> bool,
    ) -> Page<OperationInfo> {
        self.core.operations.finished(after, limit, takes, |it| self.core.operation_info(it))
    }

    /// The recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskReport> {
        let report = |(connection, task): (Option<u64>, crate::task::TaskInfo)| {
            let orphaned = connection.is_some_and(|number| !self.book.is_live(number));
            let (location, trouble) = (task.location, self.stuck.trouble(&task));
            TaskReport { task, location, orphaned, trouble }
        };
        self.core.tasks.all().into_iter().map(report).collect()
    }

    /// Follows what happens, from now on, or from after an update that was heard before: every
    /// event of a connection, every start and end of an operation. The last
    /// [`Limits::updates`](super::Limits::updates) are kept for whoever comes back.
    #[must_use]
    pub fn updates(&self, after: Option<UpdateId>) -> Updates {
        let limit = self.core.limits.updates;
        let feed = self.core.feed.get_or_init(|| Arc::new(Feed::new(limit)));
        Updates::new(Arc::clone(feed), after)
    }

    /// Completes when all that was seen by now is in the log, or was dropped; at once without one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flush(&self) {
        let flush = self.core.sink.as_ref().map(|sink| sink.flush());
        if let Some(flush) = flush {
            flush.await;
        }
    }

    /// How many samples of connections' statistics were taken.
    #[must_use]
    pub fn samples_taken(&self) -> u64 {
        self.core.counters.samples.get()
    }

    /// For how long it has been there.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.core.clock.since_start(Instant::now())
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("live", &self.book.live_len()).finish_non_exhaustive()
    }
}
