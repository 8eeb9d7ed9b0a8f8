//! Counters, histograms, and lists of bounded size.

mod bounded;
mod counters;
mod counts;
mod histogram;
mod names;

pub(super) use self::bounded::Bounded;
pub(super) use self::counters::{CloseEnd, Counters, Phase, TrafficKind};
pub(super) use self::counts::OutcomeKind;
pub use self::counts::{
    OperationCounts, OperationMetrics, StateCounts, TaskCounts, TaskEndCounts, TaskMetrics,
};
pub use self::histogram::Distribution;
pub(super) use self::histogram::{LocalHistogram, TIMES};
pub(super) use self::names::Names;
