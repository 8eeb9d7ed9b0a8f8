//! Monitors connections, operations and tasks, and diagnoses connections that failed.
//!
//! A [`Monitor`] receives every [`Event`](crate::Event) of the [`Peers`](crate::Peers) that it
//! watches ([`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor)), and keeps:
//!
//! - the states, candidates, descriptions, data channels, tracks, errors and timeline of each
//!   connection, including the last ones that have ended ([`ConnectionInfo`]);
//! - the reason why a connection failed or never connected ([`Diagnosis`]);
//! - calls on peers, closes, and operations of the application, each with one outcome
//!   ([`OperationInfo`]);
//! - the tasks that have not ended, and which of them are stuck or have outlived their peer
//!   ([`TaskReport`]);
//! - statistics over time ([`SampleInfo`]);
//! - whether anything is wrong ([`Health`]).
//!
//! ```
//! use anypeer::Peers;
//! use anypeer::monitor::Monitor;
//!
//! let monitor = Monitor::new()?;
//! let peers = Peers::builder().monitor(&monitor).build();
//! // .. open and close peers ..
//! println!("{}", monitor.summary().health); // "ok"
//! for connection in monitor.closed() {
//!     println!("{}: {:?}", connection.id, connection.diagnosis);
//! }
//! # assert_eq!(monitor.summary().health.as_str(), "ok");
//! # Ok::<(), anypeer::runtime::StartError>(())
//! ```
//!
//! A monitor uses a bounded amount of memory ([`Limits`]), does not block the code that it watches,
//! and removes secrets before it keeps anything. Durations are measured by monotonic clocks; the
//! wall clock is only used to show times.

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
