//! `Sink`: a receiver of records, which is the log.

use std::time::SystemTime;

use crate::id::PeerId;
use crate::monitor::report::{ConnectionInfo, OperationInfo, TimelineEvent};
use crate::runtime::BoxFuture;

/// A receiver of records. Only [`flush`](Self::flush) waits.
pub(crate) trait Sink: Send + Sync + 'static {
    /// Receives a connection that has ended; `read` returns what is known of it.
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>);

    /// Receives an operation that has ended.
    fn operation(&self, info: OperationInfo);

    /// Receives an event of a connection.
    fn event(&self, peer: &PeerId, at: SystemTime, event: &TimelineEvent);

    /// The number of records that the sink has dropped, by folder.
    fn dropped(&self) -> Vec<(&'static str, u64)>;

    /// Whether the sink has dropped a record in the last minute.
    fn is_dropping(&self) -> bool;

    /// Completes when everything that the sink has received so far is written or dropped.
    fn flush(&self) -> BoxFuture;
}
