//! What is known of a connection.

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

/// Everything that is known of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Its number in the order of opening.
    pub number: u64,
    /// Its id.
    pub id: PeerId,
    /// The group that it belongs to.
    pub group: Option<GroupId>,
    /// When it was opened.
    pub created_at: SystemTime,
    /// When something last happened to it.
    pub updated_at: SystemTime,
    /// How long it lasted, or has lasted so far.
    pub age: Duration,
    /// How long it has neither sent nor received anything, as of the last samples.
    pub idle: Duration,
    /// Its state.
    pub state: ConnectionState,
    /// Its ICE connection state; of a closed connection, the last one.
    pub ice_state: IceConnectionState,
    /// Its ICE gathering state.
    pub gathering_state: IceGatheringState,
    /// Its signaling state.
    pub signaling_state: SignalingState,
    /// When it was first connected, if it ever was.
    pub connected_at: Option<SystemTime>,
    /// Its timeline, the oldest first.
    pub timeline: Vec<(SystemTime, TimelineEvent)>,
    /// How many entries were dropped before those.
    pub timeline_dropped: u64,
    /// Its session descriptions, the oldest first.
    pub descriptions: Vec<DescriptionInfo>,
    /// Its local candidates.
    pub local_candidates: Vec<Candidate>,
    /// Its remote candidates.
    pub remote_candidates: Vec<Candidate>,
    /// How many candidates were dropped after those.
    pub candidates_dropped: u64,
    /// The selected candidate pair, if there is one.
    pub selected_pair: Option<SelectedPair>,
    /// The URLs of its STUN and TURN servers.
    pub ice_servers: Vec<Box<str>>,
    /// Whether only relayed candidates may be used.
    pub relay_only: bool,
    /// Its tracks.
    pub tracks: Vec<TrackInfo>,
    /// Its data channels.
    pub data_channels: Vec<ChannelInfo>,
    /// Its errors, the oldest first.
    pub errors: Vec<(SystemTime, Box<str>)>,
    /// How many operations there were, by outcome.
    pub operations: OperationCounts,
    /// The operations that are in flight.
    pub active_operations: Vec<OperationId>,
    /// How many recorded tasks there were.
    pub tasks: TaskCounts,
    /// The tasks that have not ended.
    pub pending_tasks: Vec<TaskInfo>,
    /// The last report of its statistics.
    pub stats: Option<StatsReport>,
    /// Its statistics over time, the oldest first.
    pub samples: Vec<SampleInfo>,
    /// The quality of the media that it receives: 1 to 4.5, as of the last sample.
    pub quality: Option<f32>,
    /// How many closes did not end it.
    pub failed_closes: u64,
    /// How it ended; `None` while it has not.
    pub end: Option<EndInfo>,
    /// Why it failed or never connected, if it did.
    pub diagnosis: Option<Diagnosis>,
    /// Whether all of its memory is free; `None` before its end, and where that cannot be known.
    pub released: Option<bool>,
    /// What the application still holds of it once it has ended, where that is known.
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
    /// How long the close took.
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
    /// The time since which the pair is in use, as of the samples.
    pub since: SystemTime,
    /// The local candidate, if it is known.
    pub local: Option<Candidate>,
    /// The remote candidate, if it is known.
    pub remote: Option<Candidate>,
    /// How often another pair was selected.
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
    /// The last round-trip time, once it was measured.
    pub round_trip_time: Option<Duration>,
    /// The greatest jitter of the received streams, if it is known.
    pub jitter: Option<Duration>,
    /// The quality of received media: 1 to 4.5.
    pub quality: Option<f32>,
}
