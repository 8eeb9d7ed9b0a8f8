//! `Metrics`: every number of a monitor.

use crate::candidate::{CandidateType, Protocol};
use crate::monitor::diagnosis::{Cause, Stage};
use crate::monitor::numbers::{
    CloseEnd, Counters, Distribution, OperationMetrics, Phase, StateCounts, TaskMetrics,
    TrafficKind,
};
use crate::peer::CloseReason;
use crate::state::DataChannelState;

/// Every number that a [`Monitor`](crate::monitor::Monitor) has counted since it was made, for a
/// metrics library. Durations in [`Distribution`]s are in seconds.
///
/// The numbers are read from counters, so their cost does not depend on the number of connections.
/// `metrics::encode` (feature `metrics`) encodes them as OpenMetrics text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// The numbers of connections, by state.
    pub states: StateCounts,
    /// The number of connections that were opened.
    pub opened: u64,
    /// The numbers of connections that have ended, by reason.
    pub closed: Vec<(CloseReason, u64)>,
    /// The numbers of connections that ended because they failed or never connected, by the stage
    /// that they had reached and by cause. Connections that the remote side closed, or that were
    /// closed before they had the time to connect, are not counted.
    pub failures: Vec<(Stage, Cause, u64)>,
    /// The durations of setups, by phase (`gathering`, `ice`, `dtls`, `total`) and by whether they
    /// succeeded.
    pub setups: Vec<(&'static str, bool, Distribution)>,
    /// The lifetimes of connections that have ended.
    pub lifetimes: Distribution,
    /// The number of closed connections that the application still holds.
    pub unreleased: u64,
    /// The durations of closes, by outcome (`graceful`, `forced`, `unconfirmed`, `timed_out`,
    /// `failed`).
    pub closes: Vec<(&'static str, Distribution)>,
    /// The number of ICE restarts that were answered.
    pub ice_restarts_answered: u64,
    /// The number of ICE restarts that were not answered before the connection's end.
    pub ice_restarts_unanswered: u64,
    /// The numbers of candidate pairs that were the first selected pair of a connection, by local
    /// type, remote type and protocol.
    pub selected_pairs: Vec<(CandidateType, CandidateType, Protocol, u64)>,
    /// The round-trip times of selected pairs, one for each sample.
    pub round_trip_times: Distribution,
    /// The traffic, by kind.
    pub traffic: Vec<TrafficMetrics>,
    /// The numbers of data channels that are not closed, by state, as of the last samples.
    pub data_channels: Vec<(DataChannelState, u64)>,
    /// The number of messages sent on data channels, as of the last samples.
    pub messages_sent: u64,
    /// The number of messages received on data channels, as of the last samples.
    pub messages_received: u64,
    /// The numbers of operations, by kind.
    pub operations: Vec<OperationMetrics>,
    /// The number of operations without a record, because more than
    /// [`Limits::active_operations`](crate::monitor::Limits::active_operations) were in flight.
    pub operations_unknown: u64,
    /// The numbers of recorded tasks, by name.
    pub tasks: Vec<TaskMetrics>,
    /// The numbers of log records that were dropped, by folder of the log.
    pub dropped: Vec<(&'static str, u64)>,
}

/// The traffic of one kind, of all connections, as of the last samples.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrafficMetrics {
    /// `audio`, `video` or `data`.
    pub kind: &'static str,
    /// The number of payload bytes sent.
    pub bytes_sent: u64,
    /// The number of payload bytes received.
    pub bytes_received: u64,
    /// The number of packets sent; zero for `data`.
    pub packets_sent: u64,
    /// The number of packets received; zero for `data`.
    pub packets_received: u64,
    /// The number of received packets that were lost; zero for `data`.
    pub packets_lost: u64,
    /// The jitter of received streams in seconds, one value for each stream and sample.
    pub jitter: Distribution,
    /// The quality of received media, as a mean opinion score from 1 (bad) to 4.5 (best), one value
    /// for each stream and sample.
    pub quality: Distribution,
}

/// The states of data channels that are not closed.
const LIVE_CHANNELS: [DataChannelState; 3] =
    [DataChannelState::Connecting, DataChannelState::Open, DataChannelState::Closing];

impl Metrics {
    pub(crate) fn read(
        counters: &Counters,
        operations: (Vec<OperationMetrics>, u64),
        tasks: Vec<TaskMetrics>,
        dropped: Vec<(&'static str, u64)>,
    ) -> Self {
        let failures = Stage::ALL.iter().flat_map(|stage| {
            Cause::ALL.iter().map(|cause| (*stage, *cause, counters.failure(*stage, *cause).get()))
        });
        let setups = Phase::ALL.iter().flat_map(|phase| {
            // The duration of a phase that was not completed is not measured.
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
        Self {
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
            traffic: TrafficKind::ALL
                .iter()
                .map(|kind| TrafficMetrics::read(counters, *kind))
                .collect(),
            data_channels: LIVE_CHANNELS
                .iter()
                .map(|state| (*state, counters.channel(*state).get()))
                .collect(),
            messages_sent: counters.messages_sent.get(),
            messages_received: counters.messages_received.get(),
            operations: operations.0,
            operations_unknown: operations.1,
            tasks,
            dropped,
        }
    }
}

impl TrafficMetrics {
    fn read(counters: &Counters, kind: TrafficKind) -> Self {
        let traffic = counters.traffic(kind);
        Self {
            kind: kind.as_str(),
            bytes_sent: traffic.bytes_sent.get(),
            bytes_received: traffic.bytes_received.get(),
            packets_sent: traffic.packets_sent.get(),
            packets_received: traffic.packets_received.get(),
            packets_lost: traffic.packets_lost.get(),
            jitter: counters.jitter(kind).read(),
            quality: counters.score(kind).read(),
        }
    }
}
