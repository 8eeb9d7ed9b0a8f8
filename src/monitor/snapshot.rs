//! What the monitor says: plain values, without secrets, in W3C's terms.

use std::panic::Location;
use std::time::{Duration, SystemTime};

use super::connection::{OperationCounts, TaskCounts};
use super::detail::{Detail, Subject};
use super::diagnosis::Diagnosis;
use super::ending::Ending;
use super::health::Health;
use super::tasks::Trouble;
use super::timeline::Happening;
use crate::candidate::{Candidate, Side};
use crate::id::{GroupId, OperationId, PeerId};
use crate::peer::{CloseMode, CloseReason, RetainedBy};
use crate::state::{
    ConnectionState, DataChannelState, IceConnectionState, IceGatheringState, SdpType,
    SignalingState,
};
use crate::stats::{MediaKind, StatsReport};
use crate::task::TaskInfo;

/// The whole in numbers. Taken in constant time, whatever there is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// For how long the monitor has been there.
    pub uptime: Duration,
    /// When this was said.
    pub at: SystemTime,
    /// Connections by their state. `Closed` is all that ever ended, so that the sum is all that
    /// were ever opened.
    pub states: StateCounts,
    /// Operations.
    pub operations: OperationCounts,
    /// Recorded tasks.
    pub tasks: TaskCounts,
    /// Tasks whose peers are gone. Looked for each second.
    pub orphaned_tasks: u64,
    /// Tasks that are stuck. Looked for each second.
    pub stuck_tasks: u64,
    /// Closed connections of which the application still holds something.
    pub unreleased: u64,
    /// Open data channels, as far as samples tell.
    pub open_channels: u64,
    /// Events that were folded.
    pub events: u64,
    /// Records of the log that were dropped, because its queue was full or its disk failed.
    pub dropped: u64,
    /// The verdict.
    pub health: Health,
}

/// Connections by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateCounts {
    /// `New`.
    pub new: u64,
    /// `Connecting`.
    pub connecting: u64,
    /// `Connected`.
    pub connected: u64,
    /// `Disconnected`.
    pub disconnected: u64,
    /// `Failed`.
    pub failed: u64,
    /// `Closed`, since the monitor began.
    pub closed: u64,
}

impl StateCounts {
    /// How many there were, ever: their sum.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.live() + self.closed
    }

    /// How many have not ended.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.new + self.connecting + self.connected + self.disconnected + self.failed
    }
}

/// All that is known of one connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Its place in the order of opening.
    pub number: u64,
    /// Its id.
    pub id: PeerId,
    /// The group that it belongs to.
    pub group: Option<GroupId>,
    /// When it was opened.
    pub created_at: SystemTime,
    /// When something last happened to it.
    pub updated_at: SystemTime,
    /// For how long it has been there, or was.
    pub age: Duration,
    /// For how long it has neither sent nor received anything, as far as samples tell.
    pub idle: Duration,
    /// Its state.
    pub state: ConnectionState,
    /// The state of ICE; the last one, of a closed connection.
    pub ice_state: IceConnectionState,
    /// The state of gathering.
    pub gathering_state: IceGatheringState,
    /// The state of signaling.
    pub signaling_state: SignalingState,
    /// When it was first connected, if it ever was.
    pub connected_at: Option<SystemTime>,
    /// Its timeline, the oldest first.
    pub timeline: Vec<(SystemTime, Happening)>,
    /// How many entries were before those.
    pub timeline_dropped: u64,
    /// Its session descriptions, the oldest first.
    pub descriptions: Vec<DescriptionInfo>,
    /// Local candidates.
    pub local_candidates: Vec<Candidate>,
    /// Remote candidates.
    pub remote_candidates: Vec<Candidate>,
    /// How many more candidates there were.
    pub candidates_dropped: u64,
    /// The candidate pair in use, if there is one.
    pub selected_pair: Option<SelectedPair>,
    /// The STUN and TURN servers.
    pub ice_servers: Vec<Box<str>>,
    /// Whether only relayed candidates may be used.
    pub relay_only: bool,
    /// Its tracks.
    pub tracks: Vec<TrackInfo>,
    /// Its data channels.
    pub data_channels: Vec<ChannelInfo>,
    /// Its errors, the oldest first.
    pub errors: Vec<(SystemTime, Box<str>)>,
    /// Its operations in numbers.
    pub operations: OperationCounts,
    /// Those under way.
    pub active_operations: Vec<OperationId>,
    /// Its recorded tasks in numbers.
    pub tasks: TaskCounts,
    /// Those that have not ended.
    pub pending_tasks: Vec<TaskInfo>,
    /// Its last statistics.
    pub stats: Option<StatsReport>,
    /// Its statistics over time, the oldest first.
    pub samples: Vec<SampleInfo>,
    /// The quality of the media that it receives: 1 to 4.5, as of the last sample.
    pub quality: Option<f32>,
    /// Closes that did not close it.
    pub failed_closes: u64,
    /// How it ended; `None` while it has not.
    pub end: Option<EndInfo>,
    /// The verdict on one that failed, or never connected.
    pub diagnosis: Option<Diagnosis>,
    /// Whether all of its memory is free; `None` where that cannot be known, and before its end.
    pub released: Option<bool>,
    /// What the application still holds of one that has ended, where that is known.
    pub held_by: Vec<RetainedBy>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndInfo {
    /// When.
    pub at: SystemTime,
    /// Why.
    pub reason: CloseReason,
    /// How; `None` where that could not be seen.
    pub closure: Option<CloseMode>,
    /// How long the close took.
    pub took: Duration,
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DescriptionInfo {
    /// When it was set.
    pub at: SystemTime,
    /// Whose it is.
    pub side: Side,
    /// Its type.
    pub kind: SdpType,
    /// Whether it restarts ICE.
    pub ice_restart: bool,
    /// The description without its secrets; `None` if it was too long to be kept.
    pub sdp: Option<Box<str>>,
    /// How long it was.
    pub bytes: usize,
}

/// The candidate pair in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedPair {
    /// Since when, as far as samples tell.
    pub since: SystemTime,
    /// The local candidate, where it is known.
    pub local: Option<Candidate>,
    /// The remote candidate, where it is known.
    pub remote: Option<Candidate>,
    /// How often another pair was selected.
    pub changes: u32,
}

/// A track.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrackInfo {
    /// Its id.
    pub id: Box<str>,
    /// Its kind, where it is known.
    pub kind: Option<MediaKind>,
    /// Which side sends it.
    pub side: Side,
    /// When it was added.
    pub added_at: SystemTime,
    /// When it was removed, if it was.
    pub removed_at: Option<SystemTime>,
}

/// A data channel, as of the last sample.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Its number.
    pub id: u64,
    /// Its label.
    pub label: Box<str>,
    /// Which side made it, where that is known.
    pub side: Option<Side>,
    /// Its state, once known.
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
    /// When.
    pub at: SystemTime,
    /// By then.
    pub bytes_sent: u64,
    /// By then.
    pub bytes_received: u64,
    /// By then.
    pub packets_sent: u64,
    /// By then.
    pub packets_received: u64,
    /// Of received media, by then.
    pub packets_lost: i64,
    /// The last round trip, once measured.
    pub round_trip_time: Option<Duration>,
    /// The greatest jitter of the received streams, where it is known.
    pub jitter: Option<Duration>,
    /// The quality of received media: 1 to 4.5.
    pub quality: Option<f32>,
}

/// All that is known of one operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationInfo {
    /// Its id.
    pub id: OperationId,
    /// Its kind.
    pub kind: &'static str,
    /// What it is done to.
    pub subject: Subject,
    /// What is to be known of it.
    pub details: Vec<(&'static str, Detail)>,
    /// When it was started.
    pub started_at: SystemTime,
    /// For how long it has been under way, or was.
    pub duration: Duration,
    /// How it ended; `None` while it is under way.
    pub ending: Option<Ending>,
}

/// A task that has not ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskReport {
    /// The task.
    pub task: TaskInfo,
    /// Where in the source it was started.
    pub location: &'static Location<'static>,
    /// Whether its peer is gone.
    pub orphaned: bool,
    /// What is wrong with it, if something is.
    pub trouble: Option<Trouble>,
}
