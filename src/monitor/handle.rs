//! `Monitor`: the handle of a monitor.

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

/// Keeps records of the connections, operations and tasks of any number of sets of peers.
///
/// A monitor watches a set through an [`Observer`]. It keeps no connection alive, holds a bounded
/// amount of memory ([`Limits`](super::Limits)), and keeps no secrets. Recording an event takes
/// some tens of nanoseconds (`benches/monitor.rs`).
///
/// ```
/// use anypeer::Peers;
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// // .. open and close peers ..
///
/// let summary = monitor.summary();
/// println!("{} live connections, {}", summary.states.live(), summary.health);
/// for connection in monitor.connections(0, 100) {
///     println!("{}: {} for {:?}", connection.id, connection.state, connection.age);
/// }
/// for connection in monitor.closed() {
///     if let Some(diagnosis) = connection.diagnosis {
///         println!("{}: {diagnosis}", connection.id); // Why the connection failed.
///     }
/// }
/// # assert_eq!(summary.states.total(), 0);
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
///
/// Clones are handles to the same monitor. When the last handle is dropped, the records of
/// connections are dropped and sampling ends. The peers that the monitor watched are not affected.
#[derive(Clone)]
pub struct Monitor {
    pub(super) hub: Arc<Hub>,
    pub(super) book: Arc<Book>,
    pub(super) stuck: StuckOptions,
}

impl Monitor {
    /// The current time, as the monitor shows it.
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

    /// Returns the observer that updates the monitor, for
    /// [`TaskGroupBuilder::observer`](crate::task::TaskGroupBuilder::observer) and
    /// [`PeersBuilder::observer`](crate::peer::PeersBuilder::observer). For a set of peers, use
    /// [`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor) instead, which also times
    /// tasks.
    #[must_use]
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(SetFold { hub: Arc::clone(&self.hub) })
    }

    /// Returns the most important numbers, and the health. This takes constant time.
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

    /// Returns every number that the monitor counts, for a metrics library. The cost of this call
    /// does not depend on the number of connections.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.hub.metrics()
    }

    /// Returns everything that is known of the live connection with this id, or else of the last
    /// one with this id that has ended and is still kept.
    #[must_use]
    pub fn connection(&self, id: impl AsRef<str>) -> Option<ConnectionInfo> {
        self.book.get(id.as_ref()).map(|connection| self.hub.connection_info(&connection))
    }

    /// Returns up to `limit` live connections with a [number](ConnectionInfo::number) greater than
    /// `after`, in the order of opening. Pass 0 to begin with the first connection.
    ///
    /// [`find`](Self::find) takes a filter, and does not copy everything that is known of each
    /// connection.
    #[must_use]
    pub fn connections(&self, after: u64, limit: usize) -> Vec<ConnectionInfo> {
        let live = self.book.live_after(after, limit);
        live.iter().map(|connection| self.hub.connection_info(connection)).collect()
    }

    /// Returns the connections that have ended and are still kept
    /// ([`Limits::closed_connections`](super::Limits::closed_connections)), the latest first.
    #[must_use]
    pub fn closed(&self) -> Vec<ConnectionInfo> {
        self.book.closed_before(None).iter().map(|(_, it)| self.hub.connection_info(it)).collect()
    }

    /// Returns a builder for an operation of the application. `kind` names what the operation does,
    /// and is the label of the operation in metrics.
    #[inline]
    pub fn new_operation(&self, kind: &'static str) -> OperationBuilder {
        OperationBuilder::new(Arc::clone(&self.hub), kind)
    }

    /// Returns an operation that is in flight, or has ended and is still kept.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<OperationInfo> {
        self.hub.operations.get(id, |record| record.info(&self.hub.context))
    }

    /// Returns up to `limit` operations that are in flight and were created after the operation
    /// `after`, in the order of their creation. Pass `None` to begin with the first operation.
    #[must_use]
    pub fn operations(&self, after: Option<OperationId>, limit: usize) -> Vec<OperationInfo> {
        self.hub.operations.active(after, limit, |record| record.info(&self.hub.context))
    }

    /// Returns up to `limit` operations that have ended and are still kept, and for whose outcome
    /// `takes` returns true, the latest first. `after` is the [cursor](Page::next) of the previous
    /// page; pass `None` for the first page.
    #[must_use]
    pub fn finished_operations(
        &self,
        after: Option<u64>,
        limit: usize,
        takes: impl Fn(&OperationOutcome) -> bool,
    ) -> Page<OperationInfo> {
        self.hub.operations.finished(after, limit, takes, |it| it.info(&self.hub.context))
    }

    /// Returns the recorded tasks that have not ended, in no particular order.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskReport> {
        let report = |(connection, task): (Option<u64>, crate::task::TaskInfo)| {
            let orphaned = connection.is_some_and(|number| !self.book.is_live(number));
            let (location, stuck) = (task.location, self.stuck.reason(&task));
            TaskReport { task, location, orphaned, stuck }
        };
        self.hub.tasks.all().into_iter().map(report).collect()
    }

    /// Returns a stream of updates: every event of a connection, and every start and end of an
    /// operation. With `None`, the stream begins now. With the id of an update that was received
    /// before, the stream continues after that update.
    ///
    /// For that purpose the last [`Limits::updates`](super::Limits::updates) updates are kept, from
    /// the first call of this function on.
    #[must_use]
    pub fn updates(&self, after: Option<UpdateId>) -> Updates {
        self.hub.context.outlets.follow(after)
    }

    /// Completes when every record so far was written to the log or dropped; immediately if there
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

    /// Returns the number of samples of statistics that were taken of all connections together.
    #[must_use]
    pub fn samples_taken(&self) -> u64 {
        self.hub.context.counters.samples.get()
    }

    /// Returns the time since the monitor was created.
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
