//! The state of a monitor, except for the list of connections.

use std::sync::{Arc, Weak};

use super::book::Book;
use super::context::Context;
use super::operations::{OperationRecord, Operations};
use super::record::Connection;
use super::report::{ConnectionInfo, Metrics};
use super::tasks::Tasks;
use crate::id::PeerId;
use crate::redact::Secrets;
use crate::runtime::Clock;

/// The state of a monitor, except for the list of connections. Observers of peers hold it too.
pub(super) struct Hub {
    pub(super) context: Context,
    pub(super) operations: Operations,
    pub(super) tasks: Tasks,
    /// The list of connections, which is dropped with the last [`Monitor`](super::Monitor).
    pub(super) book: Weak<Book>,
}

impl Hub {
    /// Calls `work` with the secrets of a peer, which are empty if the peer is not known.
    pub(super) fn with_secrets<T>(
        &self,
        peer: Option<&PeerId>,
        work: impl FnOnce(&Secrets) -> T,
    ) -> T {
        match peer.and_then(|peer| self.known(peer)) {
            Some(connection) => connection.read(|record| work(record.secrets())),
            None => work(Secrets::none()),
        }
    }

    /// The clock of a peer, or the system's if the peer is not known.
    pub(super) fn clock(&self, peer: &PeerId) -> Clock {
        self.known(peer).map_or_else(Clock::system, |it| it.read(|record| record.clock().clone()))
    }

    fn known(&self, peer: &PeerId) -> Option<Arc<Connection>> {
        self.book.upgrade()?.get(peer.as_str())
    }

    /// Everything that is known of a connection.
    pub(super) fn connection_info(&self, connection: &Connection) -> ConnectionInfo {
        let mut info = connection.info(&self.context);
        // If the connection has ended, another connection may have its id.
        if info.end.is_none() {
            info.active_operations = self.operations.active_of(&connection.id, OperationRecord::id);
        }
        info.pending_tasks = self.tasks.of(connection.number);
        info
    }

    pub(super) fn metrics(&self) -> Metrics {
        let operations = (self.operations.kinds(), self.operations.unknown());
        let dropped = self.context.outlets.sink().map(|sink| sink.dropped()).unwrap_or_default();
        Metrics::read(&self.context.counters, operations, self.tasks.names(), dropped)
    }
}
