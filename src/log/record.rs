//! The records in the queue of the log.

use std::time::SystemTime;

use futures::channel::oneshot;

use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, OperationInfo, TimelineEvent};

/// A record in the queue of the log.
pub(super) enum LogRecord {
    /// A connection that has ended. The writer calls this function, so that the caller need not
    /// copy what is known.
    Connection(Box<dyn FnOnce() -> ConnectionInfo + Send>),
    Operation(Box<OperationInfo>),
    Event {
        peer: PeerId,
        at: SystemTime,
        event: TimelineEvent,
    },
    /// A marker, which is answered when every record before it was written or dropped.
    Flush(oneshot::Sender<()>),
}
