//! Connections by the page, found without copying what is known of them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::connection::Connection;
use super::core::Core;
use super::diagnosis::Cause;
use super::handle::Monitor;
use super::series::Sample;
use super::snapshot::ConnectionInfo;
use crate::id::{GroupId, PeerId};
use crate::peer::CloseReason;
use crate::state::{ConnectionState, DataChannelState, IceConnectionState};

/// How many are taken off the book at once.
const CHUNK: usize = 256;

/// Which connections are looked for; all, unless something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionFilter {
    /// Those with this id.
    pub id: Option<String>,
    /// The one with this [number](ConnectionInfo::number).
    pub number: Option<u64>,
    /// Those in this state.
    pub state: Option<ConnectionState>,
    /// Those of this group.
    pub group: Option<String>,
}

impl ConnectionFilter {
    /// All of them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn takes(&self, connection: &Connection) -> bool {
        let own = |group: &String| connection.group.as_ref().is_some_and(|it| it.as_str() == group);
        self.id.as_ref().is_none_or(|id| connection.id.as_str() == id)
            && self.number.is_none_or(|number| connection.number == number)
            && self.group.as_ref().is_none_or(own)
            && self.state.is_none_or(|state| connection.state.lock().connection == state)
    }
}

/// Some of many, and where the next ones begin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// These.
    pub items: Vec<T>,
    /// After what the next ones are; `None` if there were no more.
    pub next: Option<u64>,
}

/// A connection that was found. It keeps what is known of it, and not the connection.
#[derive(Clone)]
pub struct ConnectionRef {
    core: Arc<Core>,
    connection: Arc<Connection>,
}

/// A connection in one line.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectionRow {
    /// Its place in the order of opening.
    pub number: u64,
    /// Its id.
    pub id: PeerId,
    /// The group that it belongs to.
    pub group: Option<GroupId>,
    /// When it was opened.
    pub created_at: SystemTime,
    /// When it was first connected, if it ever was.
    pub connected_at: Option<SystemTime>,
    /// When it ended, if it has.
    pub ended_at: Option<SystemTime>,
    /// For how long it has been there, or was.
    pub age: Duration,
    /// Its state.
    pub state: ConnectionState,
    /// The state of ICE.
    pub ice_state: IceConnectionState,
    /// The last round trip that was measured.
    pub round_trip_time: Option<Duration>,
    /// Bits received in a second, between the last two samples.
    pub bitrate_in: Option<f64>,
    /// Bits sent in a second, between the last two samples.
    pub bitrate_out: Option<f64>,
    /// The share of received media packets that were lost between the last two samples.
    pub loss: Option<f64>,
    /// The quality of the media that it receives: 1 to 4.5, as of the last sample.
    pub quality: Option<f32>,
    /// Tracks that were not removed.
    pub tracks: usize,
    /// Data channels that are not closed.
    pub data_channels: usize,
    /// Recorded tasks that have not ended.
    pub tasks: u64,
    /// Errors that are kept.
    pub errors: usize,
    /// Why it ended, if it has.
    pub close_reason: Option<CloseReason>,
    /// Why it failed, or never connected, if it has.
    pub cause: Option<Cause>,
    /// Whether something of it is still held, where it has ended and that is known.
    pub held: Option<bool>,
}

impl ConnectionRef {
    /// Its place in the order of opening.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.connection.number
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.connection.id
    }

    /// All that is known of it.
    #[must_use]
    pub fn info(&self) -> ConnectionInfo {
        self.core.connection_info(&self.connection)
    }

    /// The most important of it.
    #[must_use]
    pub fn row(&self) -> ConnectionRow {
        let (connection, now) = (&self.connection, Instant::now());
        let wall = |at: Instant| self.core.clock.wall(at);
        let record = connection.state.lock();
        let session = record.session.as_deref();
        let mut last =
            session.map(|it| it.series.samples.iter().rev().take(2)).into_iter().flatten();
        let (newest, before) = (last.next(), last.next());
        let rate = |bytes: fn(&Sample) -> u64| {
            let (newest, before) = (newest?, before?);
            let time = newest.at.saturating_duration_since(before.at).as_secs_f64();
            let bytes = bytes(newest).saturating_sub(bytes(before));
            (time > 0.0).then(|| bytes as f64 * 8.0 / time)
        };
        let opened = record.opened.unwrap_or(record.updated);
        let end = record.end.as_ref();
        ConnectionRow {
            number: connection.number,
            id: connection.id.clone(),
            group: connection.group.clone(),
            created_at: wall(opened),
            connected_at: record.setup.connected.map(wall),
            ended_at: end.map(|end| wall(end.at)),
            age: end.map_or(now, |end| end.at).saturating_duration_since(opened),
            state: record.connection,
            ice_state: record.ice,
            round_trip_time: newest.and_then(|it| it.round_trip_time),
            bitrate_in: rate(|sample| sample.bytes_received),
            bitrate_out: rate(|sample| sample.bytes_sent),
            loss: newest
                .zip(before)
                .and_then(|(newest, before)| super::series::loss(before, newest)),
            quality: newest.and_then(|it| it.score),
            tracks: session
                .map_or(0, |it| it.tracks.iter().filter(|it| it.removed.is_none()).count()),
            data_channels: session.map_or(0, |it| {
                it.channels.iter().filter(|it| it.state != Some(DataChannelState::Closed)).count()
            }),
            tasks: record.tasks.pending(),
            errors: record.errors.iter().len(),
            close_reason: end.map(|end| end.reason),
            cause: record.diagnosis(now).map(|it| it.cause),
            held: end.and_then(|_| record.tells_release().then_some(record.released.is_none())),
        }
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
    /// At most `limit` live connections that `filter` takes, in the order of their opening, after
    /// the one of that [number](ConnectionInfo::number); 0 for the first.
    #[must_use]
    pub fn find(&self, after: u64, limit: usize, filter: &ConnectionFilter) -> Page<ConnectionRef> {
        let mut page = Page { items: Vec::new(), next: None };
        let mut position = after;
        loop {
            let chunk = self.book().live_after(position, CHUNK);
            let was_last = chunk.len() < CHUNK;
            for connection in chunk {
                if !filter.takes(&connection) {
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

    /// At most `limit` connections that have ended, are still known, and that `filter` takes, the
    /// last one first; after a [place](Page::next) that a page before has given, if one has.
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
            if filter.takes(&connection) {
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

    /// The live connection of that id, or else the last one that has ended and is still known.
    #[must_use]
    pub fn find_one(&self, id: impl AsRef<str>) -> Option<ConnectionRef> {
        self.book().get(id.as_ref()).map(|connection| self.found(connection))
    }

    fn found(&self, connection: Arc<Connection>) -> ConnectionRef {
        ConnectionRef { core: Arc::clone(self.core()), connection }
    }
}
