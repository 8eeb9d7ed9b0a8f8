//! What all records of a monitor share.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use super::book::Book;
use super::clock::Clock;
use super::connection::Connection;
use super::counters::Counters;
use super::feed::{Feed, Update};
use super::operations::{Operations, Record};
use super::options::Limits;
use super::sink::Sink;
use super::snapshot::{ConnectionInfo, OperationInfo};
use super::span;
use super::tasks::Tasks;
use super::timeline::Entry;
use crate::candidate::Candidate;
use crate::id::PeerId;
use crate::redact::{Redactor, Secrets};

pub(super) struct Core {
    /// It goes with the last [`Monitor`](super::Monitor), and not with the last peer.
    pub(super) book: Weak<Book>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) redactor: Redactor,
    pub(super) counters: Counters,
    pub(super) operations: Operations,
    pub(super) tasks: Tasks,
    pub(super) sink: Option<Arc<dyn Sink>>,
    /// Once somebody follows.
    pub(super) feed: OnceLock<Arc<Feed>>,
}

impl Core {
    pub(super) fn new(
        book: &Arc<Book>,
        limits: Limits,
        redactor: Redactor,
        sink: Option<Arc<dyn Sink>>,
    ) -> Self {
        Self {
            book: Arc::downgrade(book),
            clock: Clock::start(),
            limits,
            redactor,
            counters: Counters::new(),
            operations: Operations::new(limits),
            tasks: Tasks::new(limits),
            sink,
            feed: OnceLock::new(),
        }
    }

    /// Whether anybody hears what happens to connections besides the monitor.
    #[inline]
    pub(super) fn is_heard(&self) -> bool {
        self.sink.is_some() || self.feed.get().is_some() || span::is_heard()
    }

    /// Says what happened to a connection. Not under a lock: a subscriber is anybody's code.
    pub(super) fn tell(&self, connection: &Connection, entry: &Entry) {
        let (peer, at) = (&connection.id, self.clock.wall(entry.at));
        span::tell(peer, &entry.what);
        if let Some(sink) = &self.sink {
            sink.event(peer, at, &entry.what);
        }
        if let Some(feed) = self.feed.get() {
            let (peer, group) = (peer.clone(), connection.group.clone());
            let (number, what) = (connection.number, entry.what.clone());
            feed.push(Update::Connection { number, peer, group, at, what });
        }
    }

    /// Does something with the secrets of a peer, if it is known and has any.
    pub(super) fn with_secrets<T>(
        &self,
        peer: Option<&PeerId>,
        work: impl FnOnce(&Secrets) -> T,
    ) -> T {
        let connection = peer.and_then(|peer| self.book.upgrade()?.get(peer.as_str()));
        match connection.as_ref().map(|connection| connection.state.lock()) {
            Some(state) => work(state.secrets()),
            None => work(Secrets::none()),
        }
    }

    /// What is known of an operation.
    pub(super) fn operation_info(&self, record: &Record) -> OperationInfo {
        let until = record.ended.as_ref().map_or_else(Instant::now, |(at, _)| *at);
        OperationInfo {
            id: record.id,
            kind: record.kind,
            subject: record.subject.clone(),
            details: record.details().to_vec(),
            started_at: self.clock.wall(record.started),
            duration: until.saturating_duration_since(record.started),
            ending: record.ended.as_ref().map(|(_, ending)| ending.clone()),
        }
    }

    /// What is known of a connection.
    pub(super) fn connection_info(&self, connection: &Connection) -> ConnectionInfo {
        let mut info = connection.info(self);
        // Another may have its id by now.
        if info.end.is_none() {
            info.active_operations = self.operations.active_of(&connection.id, |it| it.id);
        }
        info.pending_tasks = self.tasks.of(connection.number);
        info
    }

    /// A candidate as it may be kept.
    pub(super) fn candidate(&self, candidate: &Candidate) -> Candidate {
        if self.redactor.addresses { candidate.clone().redacted() } else { candidate.clone() }
    }
}
