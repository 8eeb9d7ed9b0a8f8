//! Finding connections without copying what is known of them.

use std::fmt;
use std::sync::Arc;

use super::handle::Monitor;
use super::hub::Hub;
use super::record::{Connection, State};
use super::report::{ConnectionFilter, ConnectionInfo, ConnectionRow, Page};
use crate::id::PeerId;

/// How many connections are taken off the book at once.
const CHUNK: usize = 256;

/// A connection that was found. It keeps what is known of the connection, and not the connection
/// itself.
#[derive(Clone)]
pub struct ConnectionRef {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
}

impl ConnectionRef {
    /// The connection's number in the order of opening.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.connection.number
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.connection.id
    }

    /// All that is known of the connection.
    #[must_use]
    pub fn info(&self) -> ConnectionInfo {
        self.hub.connection_info(&self.connection)
    }

    /// The most important of what is known of the connection.
    #[must_use]
    pub fn row(&self) -> ConnectionRow {
        self.connection.row(&self.hub.context)
    }
}

impl fmt::Debug for ConnectionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionRef")
            .field("number", &self.number())
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}

impl Monitor {
    /// Finds at most `limit` live connections that `filter` takes, in the order of their opening,
    /// after the connection with this [number](ConnectionInfo::number); 0 for the first.
    #[must_use]
    pub fn find(&self, after: u64, limit: usize, filter: &ConnectionFilter) -> Page<ConnectionRef> {
        let mut page = Page { items: Vec::new(), next: None };
        let mut position = after;
        loop {
            let chunk = self.book().live_after(position, CHUNK);
            let was_last = chunk.len() < CHUNK;
            for connection in chunk {
                if !takes(filter, &connection) {
                    position = connection.number;
                    continue;
                }
                if page.items.len() == limit {
                    page.next = Some(position);
                    return page;
                }
                position = connection.number;
                page.items.push(self.found(connection));
            }
            if was_last {
                return page;
            }
        }
    }

    /// Finds at most `limit` connections that have ended, are still known, and that `filter` takes,
    /// the latest first; from the [cursor](Page::next) of an earlier page, if there is one.
    #[must_use]
    pub fn find_closed(
        &self,
        after: Option<u64>,
        limit: usize,
        filter: &ConnectionFilter,
    ) -> Page<ConnectionRef> {
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for (place, connection) in self.book().closed_before(after) {
            if takes(filter, &connection) {
                if page.items.len() == limit {
                    page.next = last;
                    break;
                }
                page.items.push(self.found(connection));
            }
            last = Some(place);
        }
        page
    }

    /// Finds the live connection with this id, or else the last one that has ended and is still
    /// known.
    #[must_use]
    pub fn find_one(&self, id: impl AsRef<str>) -> Option<ConnectionRef> {
        self.book().get(id.as_ref()).map(|connection| self.found(connection))
    }

    fn found(&self, connection: Arc<Connection>) -> ConnectionRef {
        ConnectionRef { hub: Arc::clone(self.hub()), connection }
    }
}

fn takes(filter: &ConnectionFilter, connection: &Connection) -> bool {
    let own = |group: &String| connection.group.as_ref().is_some_and(|it| it.as_str() == group);
    filter.id.as_ref().is_none_or(|id| connection.id.as_str() == id)
        && filter.number.is_none_or(|number| connection.number == number)
        && filter.group.as_ref().is_none_or(own)
        && filter.state.is_none_or(|state| connection.read(State::connection) == state)
}
