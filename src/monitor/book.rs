//! The records of connections: the live ones, and the last ones that have ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::numbers::Bounded;
use super::record::Connection;
use crate::id::{GroupId, PeerId};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Event, EventListener, Mutex, wake_all};

/// The records of connections.
pub(super) struct Book {
    /// The number of the next connection.
    next: AtomicU64,
    closed_limit: usize,
    inner: Mutex<Lists>,
    /// Notified when a connection is opened while there is no other.
    opened: Event,
}

#[derive(Default)]
struct Lists {
    /// The live connections by their number, which is in the order of opening.
    live: BTreeMap<u64, Arc<Connection>>,
    by_id: HashMap<PeerId, u64>,
    /// The connections that have ended, the latest last.
    closed: Bounded<Arc<Connection>>,
}

impl Lists {
    fn take_off(&mut self, connection: &Connection) -> Option<Arc<Connection>> {
        if self.by_id.get(&connection.id) == Some(&connection.number) {
            self.by_id.remove(&connection.id);
        }
        self.live.remove(&connection.number)
    }
}

impl Book {
    pub(super) fn new(closed_limit: usize) -> Self {
        Self {
            next: AtomicU64::new(1),
            closed_limit,
            inner: Mutex::default(),
            opened: Event::new(),
        }
    }

    /// Makes the record of a peer that is about to be opened, or to be refused. It is not listed
    /// before [`open`](Self::open).
    pub(super) fn expect(&self, peer: &PeerId, group: Option<&GroupId>) -> Arc<Connection> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::new(Connection::new(number, peer.clone(), group.cloned()))
    }

    /// Lists a connection among the live ones.
    pub(super) fn open(&self, connection: &Arc<Connection>) {
        let mut inner = self.inner.lock();
        inner.by_id.insert(connection.id.clone(), connection.number);
        inner.live.insert(connection.number, Arc::clone(connection));
        let first = inner.live.len() == 1;
        drop(inner);
        if first {
            wake_all(&self.opened);
        }
    }

    /// Moves a connection from the live ones to those that have ended.
    pub(super) fn close(&self, connection: &Arc<Connection>) {
        let mut inner = self.inner.lock();
        let was_live = inner.take_off(connection);
        let gone = inner.closed.push(Arc::clone(connection), self.closed_limit);
        drop(inner);
        drop((was_live, gone));
    }

    /// Removes a connection that had ended before it was listed from the live ones.
    pub(super) fn take_off(&self, connection: &Arc<Connection>) {
        let mut inner = self.inner.lock();
        let was_live = inner.take_off(connection);
        drop(inner);
        drop(was_live);
    }

    /// Returns the live connection with this id, or else the last one that has ended.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Connection>> {
        let inner = self.inner.lock();
        let live = inner.by_id.get(id).and_then(|number| inner.live.get(number));
        let closed = || inner.closed.iter().rev().find(|known| known.id.as_str() == id);
        live.or_else(closed).cloned()
    }

    pub(super) fn is_live(&self, number: u64) -> bool {
        self.inner.lock().live.contains_key(&number)
    }

    /// Returns at most `limit` live connections with a greater number than this, in order.
    pub(super) fn live_after(&self, number: u64, limit: usize) -> Vec<Arc<Connection>> {
        let inner = self.inner.lock();
        inner
            .live
            .range(number.saturating_add(1)..)
            .take(limit)
            .map(|(_, it)| Arc::clone(it))
            .collect()
    }

    /// Returns the connections that have ended, the latest first, each with its position in the
    /// order of ending. If a position is given, only connections before it are returned.
    pub(super) fn closed_before(&self, place: Option<u64>) -> Vec<(u64, Arc<Connection>)> {
        let inner = self.inner.lock();
        let first = inner.closed.dropped();
        let places = (first..).zip(inner.closed.iter());
        let mut found: Vec<_> = places
            .take_while(|(it, _)| place.is_none_or(|place| *it < place))
            .map(|(place, connection)| (place, Arc::clone(connection)))
            .collect();
        found.reverse();
        found
    }

    pub(super) fn live_len(&self) -> usize {
        self.inner.lock().live.len()
    }

    /// Listens for a connection that is opened while there is no other.
    pub(super) fn listen(&self) -> EventListener {
        self.opened.listen()
    }
}
