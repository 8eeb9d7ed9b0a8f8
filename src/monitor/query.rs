//! Finds connections without copying everything that is known of them.

use std::fmt;
use std::sync::Arc;

use super::handle::Monitor;
use super::hub::Hub;
use super::record::{Connection, State};
use super::report::{ConnectionFilter, ConnectionInfo, ConnectionRow, Page};
use crate::id::PeerId;

/// The number of connections that are read under one lock of the book.
const CHUNK: usize = 256;

/// A reference to the record of a connection, returned by [`Monitor::find`],
/// [`Monitor::find_closed`] and [`Monitor::find_one`]. It keeps the record alive, but not the
/// connection.
#[derive(Clone)]
pub struct ConnectionRef {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
}

impl ConnectionRef {
    /// Returns the connection's number in the order of opening.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.connection.number
    }

    /// Returns the connection's id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.connection.id
    }

    /// Returns everything that is known of the connection.
    #[must_use]
    pub fn info(&self) -> ConnectionInfo {
        self.hub.connection_info(&self.connection)
    }

    /// Returns a summary of the connection.
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
    /// Finds up to `limit` live connections that match `filter` and have a
    /// [number](ConnectionInfo::number) greater than `after`, in the order of opening. Pass 0 for
    /// the first page, and then the [cursor](Page::next) of the previous page.
    ///
    /// ```
    /// use anypeer::ConnectionState;
    /// use anypeer::monitor::{ConnectionFilter, Monitor};
    ///
    /// let monitor = Monitor::new()?;
    /// let mut failed = ConnectionFilter::new();
    /// failed.state = Some(ConnectionState::Failed);
    /// let mut after = 0;
    /// loop {
    ///     let page = monitor.find(after, 100, &failed);
    ///     for connection in &page.items {
    ///         println!("{} failed: {:?}", connection.id(), connection.row().cause);
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     after = next;
    /// }
    /// # Ok::<(), anypeer::runtime::StartError>(())
    /// ```
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

    /// Finds up to `limit` connections that have ended, are still kept, and match `filter`, the
    /// latest first. `after` is the [cursor](Page::next) of the previous page; pass `None` for the
    /// first page.
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

    /// Finds the live connection with this id, or else the last one with this id that has ended and
    /// is still kept.
    #[must_use]
    pub fn find_one(&self, id: impl AsRef<str>) -> Option<ConnectionRef> {
        self.book().get(id.as_ref()).map(|connection| self.found(connection))
    }

    fn found(&self, connection: Arc<Connection>) -> ConnectionRef {
        ConnectionRef { hub: Arc::clone(self.hub()), connection }
    }
}

/// Whether the connection matches the filter.
fn takes(filter: &ConnectionFilter, connection: &Connection) -> bool {
    let own = |group: &String| connection.group.as_ref().is_some_and(|it| it.as_str() == group);
    filter.id.as_ref().is_none_or(|id| connection.id.as_str() == id)
        && filter.number.is_none_or(|number| connection.number == number)
        && filter.group.as_ref().is_none_or(own)
        && filter.state.is_none_or(|state| connection.read(State::connection) == state)
}
