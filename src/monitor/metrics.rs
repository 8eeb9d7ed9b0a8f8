//! Every number, in domain terms: what a metrics library makes its families of.

use super::connection::OperationCounts;
use super::core::Core;
use super::counters::{CloseEnd, Counters, Phase, TrafficKind};
use super::diagnosis::{Cause, Stage};
use super::histogram::Distribution;
use super::snapshot::StateCounts;
use super::tasks::TaskEnds;
use crate::candidate::{CandidateType, Protocol};
use crate::peer::CloseReason;
use crate::state::{ConnectionState, DataChannelState};

/// Every number of a [`Monitor`](super::Monitor) since it began, from counters: it costs the same
/// at any number of connections. Times are in seconds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections by their state.
    pub states: StateCounts,
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that ended, by why.
    pub closed: Vec<(CloseReason, u64)>,
    /// Connections that failed or never connected, by how far they had come and of what. Not those
    /// that the remote side closed, nor those that were closed before they had the time to connect.
    pub failures: Vec<(Stage, Cause, u64)>,
    /// Setups, by phase (`gathering`, `ice`, `dtls`, `total`) and by whether they succeeded.
    pub setups: Vec<(&'static str, bool, Distribution)>,
    /// Lifetimes of connections that have ended.
    pub lifetimes: Distribution,
    /// Closed connections of which the application still holds something.
    pub unreleased: u64,
    /// How long closes took, by what they came to (`graceful`, `forced`, `unconfirmed`,
    /// `timed_out`, `failed`).
    pub closes: Vec<(&'static str, Distribution)>,
    /// ICE restarts that were answered.
    pub ice_restarts_answered: u64,
    /// ICE restarts that were not answered before the connection's end.
    pub ice_restarts_unanswered: u64,
    /// Candidate pairs that were selected first: local type, remote type, protocol.
    pub selected_pairs: Vec<(CandidateType, CandidateType, Protocol, u64)>,
    /// Round trips, one for each sample.
    pub round_trip_times: Distribution,
    /// Media and data.
    pub traffic: Vec<TrafficMetrics>,
    /// Data channels that are not closed, by state, as of the last samples.
    pub data_channels: Vec<(DataChannelState, u64)>,
    /// Messages sent on data channels.
    pub messages_sent: u64,
    /// Messages received on data channels.
    pub messages_received: u64,
    /// Operations, by kind.
    pub operations: Vec<OperationMetrics>,
    /// Operations that were only counted, since too many were under way.
    pub operations_unknown: u64,
    /// Recorded tasks, by name.
    pub tasks: Vec<TaskMetrics>,
    /// Records of the log that were dropped, by stream.
    pub dropped: Vec<(&'static str, u64)>,
}

/// Media or data of one kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrafficMetrics {
    /// `audio`, `video` or `data`.
    pub kind: &'static str,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Packets sent; none are counted of data.
    pub packets_sent: u64,
    /// Packets received; none are counted of data.
    pub packets_received: u64,
    /// Received packets that were lost.
    pub packets_lost: u64,
    /// Jitter, one for each stream and sample.
    pub jitter: Distribution,
    /// The quality of received media, 1 to 4.5, one for each stream and sample.
    pub quality: Distribution,
}

/// Operations of one kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationMetrics {
    /// Their kind, or `other`.
    pub kind: &'static str,
    /// How many.
    pub counts: OperationCounts,
    /// How long those took that completed, failed and were canceled.
    pub durations: [Distribution; 3],
}

/// Recorded tasks of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskMetrics {
    /// Their name, or `other`.
    pub name: &'static str,
    /// How many have not ended.
    pub pending: u64,
    /// How many of those are stuck. Looked for each second.
    pub stuck: u64,
    /// How many of those are there without their peers. Looked for each second.
    pub orphaned: u64,
    /// How the others ended.
    pub ends: TaskEnds,
}

impl Core {
    pub(super) fn metrics(&self) -> Metrics {
        let counters = &self.counters;
        let failures = Stage::ALL.iter().flat_map(|stage| {
            Cause::ALL.iter().map(|cause| (*stage, *cause, counters.failure(*stage, *cause).get()))
        });
        let setups = Phase::ALL.iter().flat_map(|phase| {
            // A phase that was not come to has no time.
            let outcomes: &[bool] = if *phase == Phase::Total { &[true, false] } else { &[true] };
            outcomes
                .iter()
                .map(|outcome| (phase.as_str(), *outcome, counters.setup(*phase, *outcome).read()))
        });
        let pairs = CandidateType::ALL.iter().flat_map(|local| {
            CandidateType::ALL.iter().flat_map(|remote| {
                Protocol::ALL.iter().map(|protocol| {
                    let count = counters.selected_pair(*local, *remote, *protocol).get();
                    (*local, *remote, *protocol, count)
                })
            })
        });
        let [answered, unanswered] = &counters.ice_restarts;
        Metrics {
            states: counters.states(),
            opened: counters.opened.get(),
            closed: CloseReason::ALL.iter().map(|it| (*it, counters.closed(*it).get())).collect(),
            failures: failures.collect(),
            setups: setups.collect(),
            lifetimes: counters.lifetimes.read(),
            unreleased: counters.unreleased.get(),
            closes: CloseEnd::ALL
                .iter()
                .map(|end| (end.as_str(), counters.close(*end).read()))
                .collect(),
            ice_restarts_answered: answered.get(),
            ice_restarts_unanswered: unanswered.get(),
            selected_pairs: pairs.collect(),
            round_trip_times: counters.round_trip_times.read(),
            traffic: TrafficKind::ALL.iter().map(|kind| counters.traffic_of(*kind)).collect(),
            data_channels: LIVE_CHANNELS
                .iter()
                .map(|state| (*state, counters.channel(*state).get()))
                .collect(),
            messages_sent: counters.messages_sent.get(),
            messages_received: counters.messages_received.get(),
            operations: self.operations.kinds(),
            operations_unknown: self.operations.unknown(),
            tasks: self.tasks.names(),
            dropped: self.sink.as_ref().map(|sink| sink.dropped()).unwrap_or_default(),
        }
    }
}

const LIVE_CHANNELS: [DataChannelState; 3] =
    [DataChannelState::Connecting, DataChannelState::Open, DataChannelState::Closing];

impl Counters {
    pub(super) fn states(&self) -> StateCounts {
        let state = |state| self.state(state).get();
        StateCounts {
            new: state(ConnectionState::New),
            connecting: state(ConnectionState::Connecting),
            connected: state(ConnectionState::Connected),
            disconnected: state(ConnectionState::Disconnected),
            failed: state(ConnectionState::Failed),
            closed: state(ConnectionState::Closed),
        }
    }

    fn traffic_of(&self, kind: TrafficKind) -> TrafficMetrics {
        let traffic = self.traffic(kind);
        TrafficMetrics {
            kind: kind.as_str(),
            bytes_sent: traffic.bytes_sent.get(),
            bytes_received: traffic.bytes_received.get(),
            packets_sent: traffic.packets_sent.get(),
            packets_received: traffic.packets_received.get(),
            packets_lost: traffic.packets_lost.get(),
            jitter: self.jitter(kind).read(),
            quality: self.score(kind).read(),
        }
    }
}
