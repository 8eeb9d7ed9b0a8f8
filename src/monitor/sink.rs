//! Where records go besides the monitor.

use std::time::SystemTime;

use super::snapshot::{ConnectionInfo, OperationInfo};
use super::timeline::Happening;
use crate::id::PeerId;
use crate::runtime::BoxFuture;

/// Takes what was seen, without waiting.
pub(crate) trait Sink: Send + Sync + 'static {
    /// A connection has ended; `read` says what is known of it.
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>);

    /// An operation has ended.
    fn operation(&self, info: OperationInfo);

    /// Something happened to a connection.
    fn event(&self, peer: &PeerId, at: SystemTime, what: &Happening);

    /// How much it has dropped, by stream.
    fn dropped(&self) -> Vec<(&'static str, u64)>;

    /// Whether it has dropped anything in the last minute.
    fn is_dropping(&self) -> bool;

    /// Completes when all that it has taken by now is written or dropped.
    fn flush(&self) -> BoxFuture;
}
