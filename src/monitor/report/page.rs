//! Pages of connections: filters, summaries and cursors.

use std::time::{Duration, SystemTime};

use crate::id::{GroupId, PeerId};
use crate::monitor::diagnosis::Cause;
use crate::peer::CloseReason;
use crate::state::{ConnectionState, IceConnectionState};

/// A filter for [`Monitor::find`](crate::monitor::Monitor::find) and
/// [`Monitor::find_closed`](crate::monitor::Monitor::find_closed). The default matches every
/// connection.
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
    /// Returns a filter that matches every connection.
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
    /// The cursor for the next page; `None` on the last page.
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
    /// The group that the connection belongs to, if any.
    pub group: Option<GroupId>,
    /// When the connection was opened.
    pub created_at: SystemTime,
    /// When the connection was first connected; `None` if it never was.
    pub connected_at: Option<SystemTime>,
    /// When the connection ended; `None` if it has not ended.
    pub ended_at: Option<SystemTime>,
    /// The time since the connection was opened. After the connection's end, the time from its
    /// opening to its end.
    pub age: Duration,
    /// The connection's state.
    pub state: ConnectionState,
    /// The ICE connection state.
    pub ice_state: IceConnectionState,
    /// The round-trip time in the last sample; `None` if it is not known.
    pub round_trip_time: Option<Duration>,
    /// The bits received per second between the last two samples; `None` before the second sample.
    pub bitrate_in: Option<f64>,
    /// The bits sent per second between the last two samples; `None` before the second sample.
    pub bitrate_out: Option<f64>,
    /// The share of received media packets that were lost between the last two samples, from 0 to
    /// 1; `None` if there were no packets.
    pub loss: Option<f64>,
    /// The quality of received media in the last sample, as a mean opinion score from 1 (bad) to
    /// 4.5 (best); `None` if it is not known.
    pub quality: Option<f32>,
    /// The number of tracks that have not been removed.
    pub tracks: usize,
    /// The number of data channels that are not closed.
    pub data_channels: usize,
    /// The number of recorded tasks that have not ended.
    pub tasks: u64,
    /// The number of errors that are kept.
    pub errors: usize,
    /// Why the connection ended; `None` if it has not ended.
    pub close_reason: Option<CloseReason>,
    /// Why the connection failed, was lost or never connected; `None` if nothing is wrong.
    pub cause: Option<Cause>,
    /// Whether the application still holds a part of the connection (the opposite of
    /// [`ConnectionInfo::released`](super::ConnectionInfo::released)); `None` before the
    /// connection's end, and if that is not known.
    pub held: Option<bool>,
}
