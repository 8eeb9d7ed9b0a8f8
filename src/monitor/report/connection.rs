//! The report of a connection.

use std::time::{Duration, SystemTime};

use super::timeline::TimelineEvent;
use crate::candidate::{Candidate, Side};
use crate::id::{GroupId, OperationId, PeerId};
use crate::monitor::diagnosis::Diagnosis;
use crate::monitor::numbers::{OperationCounts, TaskCounts};
use crate::peer::{CloseMode, CloseReason, RetainedBy};
use crate::state::{
    ConnectionState, DataChannelState, IceConnectionState, IceGatheringState, SdpType,
    SignalingState,
};
use crate::stats::{MediaKind, StatsReport};
use crate::task::TaskInfo;

/// Everything that a monitor knows of a connection, returned by
/// [`Monitor::connection`](crate::monitor::Monitor::connection),
/// [`connections`](crate::monitor::Monitor::connections) and
/// [`closed`](crate::monitor::Monitor::closed).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The connection's number in the order of opening.
    pub number: u64,
    /// The connection's id.
    pub id: PeerId,
    /// The group that the connection belongs to, if any.
    pub group: Option<GroupId>,
    /// When the connection was opened.
    pub created_at: SystemTime,
    /// When the connection's record was last updated.
    pub updated_at: SystemTime,
    /// The time since the connection was opened. After the connection's end, the time from its
    /// opening to its end.
    pub age: Duration,
    /// The time since the connection last sent or received something, according to its samples.
    /// After the connection's end, the time from the last traffic to the end.
    pub idle: Duration,
    /// The connection's state.
    pub state: ConnectionState,
    /// The ICE connection state. After the connection's end, the last one.
    pub ice_state: IceConnectionState,
    /// The ICE gathering state.
    pub gathering_state: IceGatheringState,
    /// The signaling state.
    pub signaling_state: SignalingState,
    /// When the connection was first connected; `None` if it never was.
    pub connected_at: Option<SystemTime>,
    /// The last events of the connection, the oldest first.
    pub timeline: Vec<(SystemTime, TimelineEvent)>,
    /// The number of older events that are no longer kept.
    pub timeline_dropped: u64,
    /// The last session descriptions, the oldest first.
    pub descriptions: Vec<DescriptionInfo>,
    /// The first local candidates.
    pub local_candidates: Vec<Candidate>,
    /// The first remote candidates.
    pub remote_candidates: Vec<Candidate>,
    /// The number of further candidates, which are not kept.
    pub candidates_dropped: u64,
    /// The selected candidate pair, if there is one.
    pub selected_pair: Option<SelectedPair>,
    /// The URLs of the STUN and TURN servers.
    pub ice_servers: Vec<Box<str>>,
    /// Whether only relayed candidates may be used.
    pub relay_only: bool,
    /// The connection's tracks.
    pub tracks: Vec<TrackInfo>,
    /// The connection's data channels.
    pub data_channels: Vec<ChannelInfo>,
    /// The last errors, the oldest first.
    pub errors: Vec<(SystemTime, Box<str>)>,
    /// The numbers of calls on the peer and of its closes, by outcome.
    pub operations: OperationCounts,
    /// The operations on the peer that are in flight. Empty after the connection's end.
    pub active_operations: Vec<OperationId>,
    /// The numbers of the peer's recorded tasks.
    pub tasks: TaskCounts,
    /// The peer's recorded tasks that have not ended.
    pub pending_tasks: Vec<TaskInfo>,
    /// The last report of statistics; `None` if the connection was not sampled yet.
    pub stats: Option<StatsReport>,
    /// The last samples of statistics, the oldest first.
    pub samples: Vec<SampleInfo>,
    /// The quality of received media in the last sample, as a mean opinion score from 1 (bad) to
    /// 4.5 (best); `None` if it is not known.
    pub quality: Option<f32>,
    /// The number of closes that did not end the connection.
    pub failed_closes: u64,
    /// How the connection ended; `None` if it has not ended.
    pub end: Option<EndInfo>,
    /// Why the connection failed, was lost or never connected; `None` if nothing is wrong.
    pub diagnosis: Option<Diagnosis>,
    /// Whether all memory of the connection is free; `None` before the connection's end, and if
    /// that is not known.
    pub released: Option<bool>,
    /// What the application still holds of the connection after its end, as far as that is known.
    pub retained_by: Vec<RetainedBy>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndInfo {
    /// When the connection ended.
    pub at: SystemTime,
    /// Why the connection ended.
    pub reason: CloseReason,
    /// How the connection ended; `None` if that could not be observed.
    pub mode: Option<CloseMode>,
    /// The duration of the close.
    pub took: Duration,
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DescriptionInfo {
    /// When the description was set.
    pub at: SystemTime,
    /// The side whose description it is.
    pub side: Side,
    /// The type of the description.
    pub kind: SdpType,
    /// Whether the description restarts ICE.
    pub ice_restart: bool,
    /// The description without its secrets; `None` if it was too long to be kept.
    pub sdp: Option<Box<str>>,
    /// The length of the description with its secrets, in bytes.
    pub bytes: usize,
}

/// The candidate pair in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedPair {
    /// When the pair was first seen in use, according to the samples.
    pub since: SystemTime,
    /// The local candidate, if it is known.
    pub local: Option<Candidate>,
    /// The remote candidate, if it is known.
    pub remote: Option<Candidate>,
    /// The number of times that another pair was selected.
    pub changes: u32,
}

/// A track.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrackInfo {
    /// The track's id.
    pub id: Box<str>,
    /// The media kind, if it is known.
    pub kind: Option<MediaKind>,
    /// The side that sends the track.
    pub side: Side,
    /// When the track was added.
    pub added_at: SystemTime,
    /// When the track was removed, if it was.
    pub removed_at: Option<SystemTime>,
}

/// A data channel, as of the last sample.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// The channel's number.
    pub id: u64,
    /// The channel's label.
    pub label: Box<str>,
    /// The side that created the channel, if it is known.
    pub side: Option<Side>,
    /// The channel's state, once it is known.
    pub state: Option<DataChannelState>,
    /// Messages sent.
    pub messages_sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
}

/// One sample of a connection's statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampleInfo {
    /// When the sample was taken.
    pub at: SystemTime,
    /// Bytes sent by that time.
    pub bytes_sent: u64,
    /// Bytes received by that time.
    pub bytes_received: u64,
    /// Packets sent by that time.
    pub packets_sent: u64,
    /// Packets received by that time.
    pub packets_received: u64,
    /// Packets of received media that were lost by that time.
    pub packets_lost: i64,
    /// The last round-trip time of the selected pair; `None` if none was measured.
    pub round_trip_time: Option<Duration>,
    /// The greatest jitter of the received streams; `None` if it is not known.
    pub jitter: Option<Duration>,
    /// The quality of received media since the sample before, as a mean opinion score from 1 (bad)
    /// to 4.5 (best); `None` if it is not known.
    pub quality: Option<f32>,
}
