//! All that a monitor knows, but for the list of connections.

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

pub(super) struct Hub {
    pub(super) context: Context,
    pub(super) operations: Operations,
    pub(super) tasks: Tasks,
    /// The book goes with the last [`Monitor`](super::Monitor), and not with the last peer.
    pub(super) book: Weak<Book>,
}

impl Hub {
    /// Does something with the secrets of a peer, if the peer is known and has any.
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

    /// The clock that what is done to a peer is measured by; the system's if it is not known.
    pub(super) fn clock(&self, peer: &PeerId) -> Clock {
        self.known(peer).map_or_else(Clock::system, |it| it.read(|record| record.clock().clone()))
    }

    fn known(&self, peer: &PeerId) -> Option<Arc<Connection>> {
        self.book.upgrade()?.get(peer.as_str())
    }

    /// All that is known of a connection.
    pub(super) fn connection_info(&self, connection: &Connection) -> ConnectionInfo {
        let mut info = connection.info(&self.context);
        // Another connection may have the id by now.
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
