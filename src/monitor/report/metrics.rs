//! Every number, in domain terms: what a metrics library makes its families of.

use crate::candidate::{CandidateType, Protocol};
use crate::monitor::diagnosis::{Cause, Stage};
use crate::monitor::numbers::{
    CloseEnd, Counters, Distribution, OperationMetrics, Phase, StateCounts, TaskMetrics,
    TrafficKind,
};
use crate::peer::CloseReason;
use crate::state::DataChannelState;

/// Every number of a [`Monitor`](crate::monitor::Monitor) since it was started. They are read from
/// counters, at the same cost for any number of connections. Times are in seconds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections by their state.
    pub states: StateCounts,
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that have ended, by reason.
    pub closed: Vec<(CloseReason, u64)>,
    /// Connections that failed or never connected, by the stage that they had reached and by cause.
    /// Connections that the remote side closed, or that were closed before they had the time to
    /// connect, do not count.
    pub failures: Vec<(Stage, Cause, u64)>,
    /// Setups, by phase (`gathering`, `ice`, `dtls`, `total`) and by whether they succeeded.
    pub setups: Vec<(&'static str, bool, Distribution)>,
    /// Lifetimes of connections that have ended.
    pub lifetimes: Distribution,
    /// Closed connections that the application still holds.
    pub unreleased: u64,
    /// How long closes took, by outcome (`graceful`, `forced`, `unconfirmed`,
    /// `timed_out`, `failed`).
    pub closes: Vec<(&'static str, Distribution)>,
    /// ICE restarts that were answered.
    pub ice_restarts_answered: u64,
    /// ICE restarts that were not answered before the connection's end.
    pub ice_restarts_unanswered: u64,
    /// Candidate pairs that were selected first, by local type, remote type and protocol.
    pub selected_pairs: Vec<(CandidateType, CandidateType, Protocol, u64)>,
    /// Round-trip times, one for each sample.
    pub round_trip_times: Distribution,
    /// Media and data, by kind.
    pub traffic: Vec<TrafficMetrics>,
    /// Data channels that are not closed, by state, as of the last samples.
    pub data_channels: Vec<(DataChannelState, u64)>,
    /// Messages sent on data channels.
    pub messages_sent: u64,
    /// Messages received on data channels.
    pub messages_received: u64,
    /// Operations, by kind.
    pub operations: Vec<OperationMetrics>,
    /// Operations that were counted without an id, because too many were in flight.
    pub operations_unknown: u64,
    /// Recorded tasks, by name.
    pub tasks: Vec<TaskMetrics>,
    /// Log records that were dropped, by stream.
    pub dropped: Vec<(&'static str, u64)>,
}

/// Traffic of one kind.
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
