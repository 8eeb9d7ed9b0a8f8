//! Making a monitor.

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
    /// How much the monitor keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How the monitor samples statistics.
    pub fn sample(mut self, sample: SampleOptions) -> Self {
        self.sample = sample;
        self
    }

    /// When a task counts as stuck.
    pub fn stuck(mut self, stuck: StuckOptions) -> Self {
        self.stuck = stuck;
        self
    }

    /// Whether to take IP addresses out of everything that the monitor keeps, in addition to ICE
    /// passwords, TURN credentials and tokens, which are always taken out. By default not.
    pub fn redact_addresses(mut self, redact: bool) -> Self {
        self.redactor.addresses = redact;
        self
    }

    /// Takes a secret of the application's own out of everything that the monitor keeps.
    pub fn redact(mut self, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        if !secret.is_empty() {
            self.redactor.tokens.push(secret.into());
        }
        self
    }

    /// Also tells a sink, which is started with the monitor.
    #[cfg(feature = "log")]
    pub(crate) fn sink(
        mut self,
        start: impl Fn() -> Result<Arc<dyn Sink>, StartError> + Send + Sync + 'static,
    ) -> Self {
        self.sink = Some(Arc::new(start));
        self
    }

    /// Makes the monitor, which does not watch anything yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a thread that the monitor needs could not be started: the one that samples,
    /// or the one that writes the log.
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
    /// Lets `monitor` watch the peers, and times their tasks.
    pub fn monitor(self, monitor: &Monitor) -> Self {
        self.observer(monitor.observer()).timed_tasks(true)
    }
}

impl Monitor {
    /// Makes a monitor with default options.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that samples could not be started.
    pub fn new() -> Result<Self, StartError> {
        Self::builder().build()
    }

    /// Configures a monitor.
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }
}
