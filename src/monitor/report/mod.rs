//! The reports of a monitor: plain values without secrets, in the terms of the W3C specifications.

mod connection;
mod health;
mod metrics;
mod operation;
mod page;
mod summary;
mod task;
mod timeline;

pub use self::connection::{
    ChannelInfo, ConnectionInfo, DescriptionInfo, EndInfo, SampleInfo, SelectedPair, TrackInfo,
};
pub(super) use self::health::Vitals;
pub use self::health::{Health, HealthIssue};
pub use self::metrics::{Metrics, TrafficMetrics};
pub use self::operation::{Detail, OperationInfo, OperationOutcome, OperationTarget};
pub use self::page::{ConnectionFilter, ConnectionRow, Page};
pub use self::summary::Summary;
pub use self::task::{StuckReason, TaskReport};
pub use self::timeline::{Level, TaskEndKind, TimelineEvent};
