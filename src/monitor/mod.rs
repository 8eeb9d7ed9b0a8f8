//! Watching: connections, operations and tasks, from what happens to them.
//!
//! A [`Monitor`] is told every [`Event`](crate::Event) of the [`Peers`](crate::Peers) that it is
//! given to ([`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor)), and keeps what an
//! operator asks for:
//!
//! - the states, candidates, descriptions, channels, errors and timeline of each connection, also of
//!   the last ones that have ended, and why a connection failed ([`Diagnosis`]);
//! - every call on a peer, every close and any future of the application's own, as an operation with
//!   one outcome;
//! - tasks that are stuck or orphaned;
//! - statistics over time.
//!
//! A monitor is always bounded ([`Limits`]), never blocks the code that it watches, reads the wall
//! clock only to show times, and keeps no secrets.

mod book;
mod builder;
mod clock;
mod context;
mod diagnosis;
mod fold;
mod handle;
mod hub;
mod live;
mod numbers;
mod operation;
mod operations;
mod options;
mod query;
mod record;
mod report;
mod sampler;
mod tasks;

pub use self::builder::MonitorBuilder;
pub use self::diagnosis::{Cause, Diagnosis, Stage};
pub use self::handle::Monitor;
#[cfg(feature = "log")]
pub(crate) use self::live::Sink;
pub use self::live::{Lagged, ParseUpdateIdError, Update, UpdateId, UpdateKind, Updates};
pub use self::numbers::{
    Distribution, OperationCounts, OperationMetrics, StateCounts, TaskCounts, TaskEndCounts,
    TaskMetrics,
};
pub use self::operation::{Monitored, Operation, OperationBuilder};
pub use self::options::{Limits, SampleOptions};
pub use self::query::ConnectionRef;
pub use self::report::{
    ChannelInfo, ConnectionFilter, ConnectionInfo, ConnectionRow, DescriptionInfo, Detail, EndInfo,
    Health, HealthIssue, Level, Metrics, OperationInfo, OperationOutcome, OperationTarget, Page,
    SampleInfo, SelectedPair, StuckReason, Summary, TaskEndKind, TaskReport, TimelineEvent,
    TrackInfo, TrafficMetrics,
};
pub use self::tasks::StuckOptions;
