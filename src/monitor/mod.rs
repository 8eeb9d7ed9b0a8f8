//! Watching: connections, operations and tasks, from what happens to them.
//!
//! A [`Monitor`] is told every [`Event`](crate::Event) of the [`Peers`](crate::Peers) that it is
//! given to ([`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor)), and keeps what an
//! operator asks for: the states, candidates, descriptions, channels, errors and timeline of each
//! connection, also of the last that have ended, and why one failed ([`Diagnosis`]); every call on a
//! peer, every close and any future of the application's own as an operation with one end; tasks
//! that are stuck or orphaned; statistics over time.
//!
//! It is always bounded ([`Limits`]), never blocks who it is told by, knows no wall clock but to show
//! times, and keeps no secret.

mod book;
mod bounded;
mod clock;
mod connection;
mod core;
mod counters;
mod detail;
mod diagnosis;
mod ending;
mod feed;
mod fold;
mod handle;
mod health;
mod histogram;
mod info;
mod metrics;
mod names;
mod operation;
mod operations;
mod options;
mod quality;
mod sample;
mod sampler;
mod scan;
mod series;
mod session;
mod sink;
mod snapshot;
mod span;
mod tasks;
mod timeline;

pub use self::connection::{OperationCounts, TaskCounts};
pub use self::detail::{Detail, Subject};
pub use self::diagnosis::{Cause, Diagnosis, Stage};
pub use self::ending::Ending;
pub use self::feed::{Heard, Told, Update, UpdateId, UpdateIdError, Updates};
pub use self::handle::{Monitor, MonitorBuilder};
pub use self::health::{Complaint, Health};
pub use self::histogram::Distribution;
pub use self::metrics::{Metrics, OperationMetrics, TaskMetrics, TrafficMetrics};
pub use self::operation::{Monitored, Operation, OperationBuilder};
pub use self::options::{Limits, SampleOptions};
pub use self::scan::{ConnectionFilter, ConnectionRef, ConnectionRow, Page};
#[cfg(feature = "log")]
pub(crate) use self::sink::Sink;
pub use self::snapshot::{
    ChannelInfo, ConnectionInfo, DescriptionInfo, EndInfo, OperationInfo, SampleInfo, SelectedPair,
    StateCounts, Summary, TaskReport, TrackInfo,
};
pub use self::tasks::{StuckOptions, TaskEnds, Trouble};
pub use self::timeline::{Happening, TaskOutcome};
