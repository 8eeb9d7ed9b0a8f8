//! `MonitorBuilder`: configures a monitor.

use std::fmt;
use std::sync::Arc;

use super::book::Book;
use super::clock::WallClock;
use super::context::Context;
use super::handle::Monitor;
use super::hub::Hub;
use super::live::{Outlets, Sink};
use super::numbers::Counters;
use super::operations::Operations;
use super::options::{Limits, SampleOptions};
use super::sampler;
use super::tasks::{StuckOptions, Tasks};
use crate::peer::PeersBuilder;
use crate::redact::Redactor;
use crate::runtime::{Runtime, StartError};

/// Configures a [`Monitor`]; see [`Monitor::builder`].
///
/// ```
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::monitor::{Limits, Monitor, SampleOptions};
///
/// let monitor = Monitor::builder()
///     .limits(Limits::new().closed_connections(1000))
///     .sample(SampleOptions::new().interval(Duration::from_secs(10)))
///     .redact_addresses(true)
///     .build()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct MonitorBuilder {
    limits: Limits,
    sample: SampleOptions,
    stuck: StuckOptions,
    redactor: Redactor,
    sink: Option<StartSink>,
}

/// Starts a sink.
type StartSink = Arc<dyn Fn() -> Result<Arc<dyn Sink>, StartError> + Send + Sync>;

impl MonitorBuilder {
    /// Sets how much the monitor keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how often the monitor samples statistics.
    pub fn sample(mut self, sample: SampleOptions) -> Self {
        self.sample = sample;
        self
    }

    /// Sets when a task counts as stuck.
    pub fn stuck(mut self, stuck: StuckOptions) -> Self {
        self.stuck = stuck;
        self
    }

    /// Sets whether IP addresses are removed from everything that the monitor keeps. By default
    /// they are kept. ICE passwords, TURN credentials and tokens are always removed.
    pub fn redact_addresses(mut self, redact: bool) -> Self {
        self.redactor.addresses = redact;
        self
    }

    /// Adds a secret of the application, such as an access token, which is removed from everything
    /// that the monitor keeps. An empty secret is ignored.
    pub fn redact(mut self, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        if !secret.is_empty() {
            self.redactor.tokens.push(secret.into());
        }
        self
    }

    /// Adds a sink, which is started when the monitor is created.
    #[cfg(feature = "log")]
    pub(crate) fn sink(
        mut self,
        start: impl Fn() -> Result<Arc<dyn Sink>, StartError> + Send + Sync + 'static,
    ) -> Self {
        self.sink = Some(Arc::new(start));
        self
    }

    /// Creates the monitor. It watches nothing until it is passed to
    /// [`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor).
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if a thread that the monitor needs cannot be started: the thread that
    /// samples statistics, or the thread that writes the log.
    pub fn build(self) -> Result<Monitor, StartError> {
        Runtime::background()?;
        let sink = self.sink.map(|start| start()).transpose()?;
        let book = Arc::new(Book::new(self.limits.closed_connections));
        let context = Context {
            clock: WallClock::start(),
            limits: self.limits,
            redactor: self.redactor,
            counters: Counters::new(),
            outlets: Outlets::new(sink, self.limits.updates),
        };
        let hub = Arc::new(Hub {
            context,
            operations: Operations::new(self.limits),
            tasks: Tasks::new(self.limits),
            book: Arc::downgrade(&book),
        });
        sampler::start(&hub, &book, self.sample, self.stuck);
        Ok(Monitor { hub, book, stuck: self.stuck })
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
    /// Lets `monitor` watch the peers of the set. This also times each poll of the peers' tasks;
    /// see [`PeersBuilder::timed_tasks`].
    pub fn monitor(self, monitor: &Monitor) -> Self {
        self.observer(monitor.observer()).timed_tasks(true)
    }
}

impl Monitor {
    /// Creates a monitor with default options.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread that samples statistics cannot be started.
    pub fn new() -> Result<Self, StartError> {
        Self::builder().build()
    }

    /// Returns a builder for a monitor.
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }
}
