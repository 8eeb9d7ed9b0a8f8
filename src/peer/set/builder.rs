//! Configuring a set of peers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::entries::Limits;
use super::peers::Peers;
use super::registry::Registry;
use crate::close_options::CloseOptions;
use crate::event::{Observer, Watch};
use crate::peer::options::{DEFAULT_HANDLER_BUDGET, ReaperOptions};
use crate::peer::record::RecordOptions;
use crate::runtime::{self, Runtime};

/// Configures a [`Peers`].
#[derive(Default)]
#[must_use]
pub struct PeersBuilder {
    runtime: Option<Runtime>,
    close: CloseOptions,
    reaper: ReaperOptions,
    handler_budget: Option<Duration>,
    limits: Limits,
    timed_tasks: bool,
    observers: Vec<Arc<dyn Observer>>,
}

impl Peers {
    /// An empty set with default options.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Configures a set.
    pub fn builder() -> PeersBuilder {
        PeersBuilder::default()
    }
}

impl Default for Peers {
    fn default() -> Self {
        Self::new()
    }
}

impl PeersBuilder {
    /// The runtime of peers that name none. By default the one that is
    /// [current](crate::runtime::current) when `build` is called, or else when a peer is opened,
    /// or else the background one.
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// The bounds of closes of peers that set none.
    pub fn close(mut self, close: CloseOptions) -> Self {
        self.close = close;
        self
    }

    /// When peers that do not say so themselves are closed without being asked.
    pub fn reaper(mut self, reaper: ReaperOptions) -> Self {
        self.reaper = reaper;
        self
    }

    /// How long a callback may hold its driver before that is told, for peers that say nothing
    /// else; by default [`DEFAULT_HANDLER_BUDGET`].
    pub fn handler_budget(mut self, budget: Duration) -> Self {
        self.handler_budget = Some(budget);
        self
    }

    /// How many peers may be open at once; by default there is no limit. One more is refused:
    /// [`InsertError::Full`](crate::peer::InsertError::Full). A peer counts until its connection has ended.
    pub fn max_peers(mut self, limit: usize) -> Self {
        self.limits.all = Some(limit);
        self
    }

    /// How many peers of one group may be open at once; by default there is no limit. One more is
    /// refused: [`InsertError::GroupFull`](crate::peer::InsertError::GroupFull).
    pub fn max_peers_per_group(mut self, limit: usize) -> Self {
        self.limits.per_group = Some(limit);
        self
    }

    /// Whether to time every poll of the peers' tasks, by default not; see [`TaskInfo::polls`](crate::task::TaskInfo::polls).
    pub fn timed_tasks(mut self, timed: bool) -> Self {
        self.timed_tasks = timed;
        self
    }

    /// Adds an observer, which is told all that happens. Without one, no event is even built.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The empty set.
    #[must_use]
    pub fn build(self) -> Peers {
        let Self { runtime, close, reaper, handler_budget, limits, timed_tasks, observers } = self;
        let handler_budget = handler_budget.unwrap_or(DEFAULT_HANDLER_BUDGET);
        let options = RecordOptions { close, reaper, handler_budget, timed_tasks };
        let runtime = runtime.or_else(runtime::current);
        let clock = runtime.as_ref().map(Runtime::clock).unwrap_or_default();
        Peers::over(Registry::new(runtime, options, limits, Watch::new(observers, clock)))
    }
}

impl fmt::Debug for PeersBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeersBuilder")
            .field("runtime", &self.runtime)
            .field("close", &self.close)
            .field("reaper", &self.reaper)
            .finish_non_exhaustive()
    }
}
