//! All that a monitor knows, but for the list of connections.

use std::sync::Weak;

use super::book::Book;
use super::context::Context;
use super::operations::{OperationRecord, Operations};
use super::record::Connection;
use super::report::{ConnectionInfo, Metrics};
use super::tasks::Tasks;
use crate::id::PeerId;
use crate::redact::Secrets;

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
        let connection = peer.and_then(|peer| self.book.upgrade()?.get(peer.as_str()));
        match connection {
            Some(connection) => connection.read(|record| work(record.secrets())),
            None => work(Secrets::none()),
        }
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
