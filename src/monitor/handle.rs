//! The monitor's handle.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::book::Book;
use super::fold::SetFold;
use super::hub::Hub;
use super::live::{UpdateId, Updates};
use super::operation::OperationBuilder;
use super::report::{
    ConnectionInfo, Health, Metrics, OperationInfo, OperationOutcome, Page, Summary, TaskReport,
    Vitals,
};
use super::tasks::StuckOptions;
use crate::event::Observer;
use crate::id::OperationId;
use crate::state::DataChannelState;

/// Watches any number of [`Peers`](crate::Peers), and answers for all that happens in them.
///
/// Clones are handles to the same monitor. A monitor holds no connection: what it knows is folded
/// from events, in bounded memory ([`Limits`](super::Limits)), at a cost of some tens of nanoseconds
/// an event. It keeps no secrets.
///
/// ```
/// use anypeer::Peers;
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// assert_eq!(monitor.summary().states.total(), 0);
///
/// let sum = monitor.new_operation("sum").call(|| 1 + 2);
/// assert_eq!((sum, monitor.summary().operations.completed), (3, 1));
/// # drop(peers);
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct Monitor {
    pub(super) hub: Arc<Hub>,
    pub(super) book: Arc<Book>,
    pub(super) stuck: StuckOptions,
}

impl Monitor {
    /// The time, as the monitor tells it.
    #[cfg(feature = "http")]
    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.hub.context.clock.wall(Instant::now())
    }

    /// Whether a log is written.
    #[cfg(feature = "http")]
    pub(crate) fn is_logged(&self) -> bool {
        self.hub.context.outlets.sink().is_some()
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// The observer that feeds the monitor, for task groups and for
    /// [`PeersBuilder::observer`](crate::peer::PeersBuilder::observer).
    /// [`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor) is shorter, and also times
    /// tasks.
    #[must_use]
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(SetFold { hub: Arc::clone(&self.hub) })
    }

    /// All that the monitor knows, in a few numbers. It takes constant time to make.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (context, now) = (&self.hub.context, Instant::now());
        let counters = &context.counters;
        let states = counters.states();
        let (tasks, stuck, orphaned) = self.hub.tasks.summary();
        let (unreleased, stalled) = (counters.unreleased.get(), counters.stalled.get());
        let sink = context.outlets.sink();
        let dropped = sink.map_or(0, |it| it.dropped().iter().map(|(_, count)| count).sum());
        let is_dropping = sink.is_some_and(|sink| sink.is_dropping());
        let vitals = Vitals {
            live: states.live(),
            failed: states.failed,
            not_closed: counters.not_closed.get(),
            stalled,
            stuck,
            orphaned,
            unreleased,
            dropped: if is_dropping { dropped } else { 0 },
        };
        Summary {
            uptime: context.clock.since_start(now),
            at: context.clock.wall(now),
            states,
            operations: self.hub.operations.counts(),
            tasks,
            stalled_handlers: stalled,
            orphaned_tasks: orphaned,
            stuck_tasks: stuck,
            unreleased,
            open_channels: counters.channel(DataChannelState::Open).get(),
            events: counters.events.get(),
            dropped,
            health: Health::of(&vitals),
        }
    }

    /// Every number, read from counters.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.hub.metrics()
    }

    /// The live connection with this id, or else the last one that has ended and is still known.
    #[must_use]
    pub fn connection(&self, id: impl AsRef<str>) -> Option<ConnectionInfo> {
        self.book.get(id.as_ref()).map(|connection| self.hub.connection_info(&connection))
    }

    /// At most `limit` live connections, in the order of their opening, after the connection with
    /// this [number](ConnectionInfo::number); 0 for the first.
    #[must_use]
    pub fn connections(&self, after: u64, limit: usize) -> Vec<ConnectionInfo> {
        let live = self.book.live_after(after, limit);
        live.iter().map(|connection| self.hub.connection_info(connection)).collect()
    }

    /// The connections that have ended and are still known, the latest first.
    #[must_use]
    pub fn closed(&self) -> Vec<ConnectionInfo> {
        self.book.closed_before(None).iter().map(|(_, it)| self.hub.connection_info(it)).collect()
    }

    /// Makes an operation of the application's own, which is not started yet; `kind` names what such
    /// operations do.
    #[inline]
    pub fn new_operation(&self, kind: &'static str) -> OperationBuilder {
        OperationBuilder::new(Arc::clone(&self.hub), kind)
    }

    /// An operation that is in flight, or has ended and is still known.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<OperationInfo> {
        self.hub.operations.get(id, |record| record.info(&self.hub.context))
    }

    /// At most `limit` operations that are in flight, in the order of their start, after the given
    /// one.
    #[must_use]
    pub fn operations(&self, after: Option<OperationId>, limit: usize) -> Vec<OperationInfo> {
        self.hub.operations.active(after, limit, |record| record.info(&self.hub.context))
    }

    /// At most `limit` operations that have ended, are still known, and whose outcome `takes`
    /// accepts, the latest first; from the [cursor](Page::next) of an earlier page, if there is one.
    #[must_use]
    pub fn finished_operations(
        &self,
        after: Option<u64>,
        limit: usize,
        takes: impl Fn(&OperationOutcome) -> bool,
    ) -> Page<OperationInfo> {
        self.hub.operations.finished(after, limit, takes, |it| it.info(&self.hub.context))
    }

    /// The recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskReport> {
        let report = |(connection, task): (Option<u64>, crate::task::TaskInfo)| {
            let orphaned = connection.is_some_and(|number| !self.book.is_live(number));
            let (location, stuck) = (task.location, self.stuck.reason(&task));
            TaskReport { task, location, orphaned, stuck }
        };
        self.hub.tasks.all().into_iter().map(report).collect()
    }

    /// Follows what happens from now on, or since an update that was received before: every event of
    /// a connection, every start and end of an operation. The last
    /// [`Limits::updates`](super::Limits::updates) are kept for followers that come back.
    #[must_use]
    pub fn updates(&self, after: Option<UpdateId>) -> Updates {
        self.hub.context.outlets.follow(after)
    }

    /// Completes when everything that was seen so far is in the log, or was dropped; at once if there
    /// is no log.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flush(&self) {
        let flush = self.hub.context.outlets.sink().map(|sink| sink.flush());
        if let Some(flush) = flush {
            flush.await;
        }
    }

    /// How many samples of statistics were taken, over all connections.
    #[must_use]
    pub fn samples_taken(&self) -> u64 {
        self.hub.context.counters.samples.get()
    }

    /// How long ago the monitor was started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.hub.context.clock.since_start(Instant::now())
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("live", &self.book.live_len()).finish_non_exhaustive()
    }
}
