//! What waits to be written.

use std::time::SystemTime;

use futures::channel::oneshot;

use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, OperationInfo, TimelineEvent};

/// What waits to be written.
pub(super) enum LogRecord {
    /// A connection, read when the record is written, and not by the caller.
    Connection(Box<dyn FnOnce() -> ConnectionInfo + Send>),
    Operation(Box<OperationInfo>),
    Event {
        peer: PeerId,
        at: SystemTime,
        event: TimelineEvent,
    },
    /// Answered when everything before it is written or dropped.
    Flush(oneshot::Sender<()>),
}
