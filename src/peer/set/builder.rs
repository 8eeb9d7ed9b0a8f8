//! The builder of a set of peers.

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

/// Configures a set of peers before it is created; see [`Peers::builder`].
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::peer::{CloseOptions, ReaperOptions};
/// use anypeer::runtime::SmolSpawner;
///
/// let peers = Peers::builder()
///     .runtime(SmolSpawner::new())
///     .max_peers(1000)
///     .max_peers_per_group(50)
///     .close(CloseOptions::new().timeout(Duration::from_secs(3)))
///     .reaper(ReaperOptions::new().never_connected(Some(Duration::from_secs(20))))
///     .build();
/// assert!(peers.is_empty());
/// # }
/// ```
///
/// With the feature `monitor`, `PeersBuilder::monitor` attaches a monitor.
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
    /// Creates an empty set with default options.
    ///
    /// Inside a tokio or async-std runtime, the peers of the set run on that runtime. On smol and
    /// on other executors, name the runtime with [`PeersBuilder::runtime`]. If no runtime is
    /// [current](crate::runtime::current), neither now nor when a peer is opened, that peer runs on
    /// the background executor, where all peers normally share one thread.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with default options.
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
    /// Sets the runtime of the peers whose options name no runtime. By default a peer runs on the
    /// runtime that is [current](crate::runtime::current) when `build` is called, or else on the
    /// one that is current when the peer is opened, or else on the
    /// [background](Runtime::background) one.
    ///
    /// **All peers on the background runtime normally share one thread.** A server should name its
    /// runtime here, or build the set inside the runtime. smol and `async-executor` cannot be
    /// detected, so they have to be named.
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// Sets the timeout and the grace period of closes, for peers whose options do not set them,
    /// and for the set's own [tasks](Peers::tasks).
    pub fn close(mut self, close: CloseOptions) -> Self {
        self.close = close;
        self
    }

    /// Sets the reaper's rules, for peers whose options do not set them.
    pub fn reaper(mut self, reaper: ReaperOptions) -> Self {
        self.reaper = reaper;
        self
    }

    /// Sets how long a callback may hold its connection's driver before the callback is reported as
    /// [`EventKind::HandlerStalled`](crate::EventKind::HandlerStalled), for peers whose options do
    /// not set that time; [`DEFAULT_HANDLER_BUDGET`] by default. The budget is watched only if an
    /// observer or a monitor is attached.
    pub fn handler_budget(mut self, budget: Duration) -> Self {
        self.handler_budget = Some(budget);
        self
    }

    /// Sets how many peers may be open at once. Further peers are refused with
    /// [`InsertError::Full`](crate::peer::InsertError::Full). A peer counts from the reservation of
    /// its place until its connection has ended. By default there is no limit.
    pub fn max_peers(mut self, limit: usize) -> Self {
        self.limits.all = Some(limit);
        self
    }

    /// Sets how many peers of one group may be open at once. Further peers are refused with
    /// [`InsertError::GroupFull`](crate::peer::InsertError::GroupFull). By default there is no
    /// limit.
    pub fn max_peers_per_group(mut self, limit: usize) -> Self {
        self.limits.per_group = Some(limit);
        self
    }

    /// Sets whether to time every poll of the peers' tasks; see
    /// [`TaskInfo::polls`](crate::task::TaskInfo::polls). By default polls are not timed.
    /// `PeersBuilder::monitor` has them timed.
    pub fn timed_tasks(mut self, timed: bool) -> Self {
        self.timed_tasks = timed;
        self
    }

    /// Adds an observer, which receives every event of the set. Without observers, no events are
    /// built.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Builds the set, which is empty.
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
