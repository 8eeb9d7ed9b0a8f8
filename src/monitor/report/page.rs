//! Connections by the page.

use std::time::{Duration, SystemTime};

use crate::id::{GroupId, PeerId};
use crate::monitor::diagnosis::Cause;
use crate::peer::CloseReason;
use crate::state::{ConnectionState, IceConnectionState};

/// A filter of connections. The default matches every connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionFilter {
    /// Only connections with this id.
    pub id: Option<String>,
    /// Only the connection with this [number](super::ConnectionInfo::number).
    pub number: Option<u64>,
    /// Only connections in this state.
    pub state: Option<ConnectionState>,
    /// Only connections in this group.
    pub group: Option<String>,
}

impl ConnectionFilter {
    /// A filter that matches every connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Cursor for the next page; `None` on the last one.
    pub next: Option<u64>,
}

/// A summary of a connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectionRow {
    /// The connection's number in the order of opening.
    pub number: u64,
    /// The connection's id.
    pub id: PeerId,
    /// The group that the connection belongs to.
    pub group: Option<GroupId>,
    /// When it was opened.
    pub created_at: SystemTime,
    /// When it was first connected, if it ever was.
    pub connected_at: Option<SystemTime>,
    /// When it ended, if it has.
    pub ended_at: Option<SystemTime>,
    /// How long it lasted, or has lasted so far.
    pub age: Duration,
    /// Its state.
    pub state: ConnectionState,
    /// The ICE connection state.
    pub ice_state: IceConnectionState,
    /// The last round-trip time that was measured.
    pub round_trip_time: Option<Duration>,
    /// Bits received per second, between the last two samples.
    pub bitrate_in: Option<f64>,
    /// Bits sent per second, between the last two samples.
    pub bitrate_out: Option<f64>,
    /// The share of received media packets that were lost between the last two samples.
    pub loss: Option<f64>,
    /// The quality of the media that it receives: 1 to 4.5, as of the last sample.
    pub quality: Option<f32>,
    /// Tracks that have not been removed.
    pub tracks: usize,
    /// Data channels that are not closed.
    pub data_channels: usize,
    /// Recorded tasks that have not ended.
    pub tasks: u64,
    /// Errors that are kept.
    pub errors: usize,
    /// Why the connection ended, if it has ended.
    pub close_reason: Option<CloseReason>,
    /// Why the connection failed or never connected, if it did.
    pub cause: Option<Cause>,
    /// Whether the application still holds the connection; `None` before its end, and if that is
    /// not known.
    pub held: Option<bool>,
}
