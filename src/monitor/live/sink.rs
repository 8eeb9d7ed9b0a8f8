//! Where records go besides the monitor: a log.

use std::time::SystemTime;

use crate::id::PeerId;
use crate::monitor::report::{ConnectionInfo, OperationInfo, TimelineEvent};
use crate::runtime::BoxFuture;

/// Takes what was seen. No method but [`flush`](Self::flush) waits.
pub(crate) trait Sink: Send + Sync + 'static {
    /// Takes a connection that has ended; `read` says what is known of it.
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>);

    /// Takes an operation that has ended.
    fn operation(&self, info: OperationInfo);

    /// Takes something that happened to a connection.
    fn event(&self, peer: &PeerId, at: SystemTime, event: &TimelineEvent);

    /// How many records the sink has dropped, by stream.
    fn dropped(&self) -> Vec<(&'static str, u64)>;

    /// Whether the sink has dropped a record in the last minute.
    fn is_dropping(&self) -> bool;

    /// Completes when everything that the sink has taken so far is written or dropped.
    fn flush(&self) -> BoxFuture;
}
