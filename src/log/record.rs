//! The records in the queue of the log.

use std::time::SystemTime;

use futures::channel::oneshot;

use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, OperationInfo, TimelineEvent};

/// A record in the queue of the log.
pub(super) enum LogRecord {
    /// A connection, which the writer reads, not the caller.
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
