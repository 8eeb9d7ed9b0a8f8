//! The metric families, and the samples of each.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use crate::monitor::Metrics;

/// Encodes metrics that were read before.
#[derive(Debug)]
pub(super) struct Snapshot(pub(super) Metrics);

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut families = Families(encoder);
        let Self(metrics) = self;
        connections(metrics, &mut families)?;
        setup(metrics, &mut families)?;
        traffic(metrics, &mut families)?;
        operations(metrics, &mut families)?;
        tasks(metrics, &mut families)?;
        families.counters(
            "webrtc_monitor_events_dropped",
            "Records that a sink of the monitor dropped",
            ["sink"],
            metrics.dropped.iter().map(|(sink, count)| ([*sink], *count)),
        )
    }
}

fn connections(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let states = &metrics.states;
    families.gauges(
        "webrtc_connections",
        "Connections that have not ended",
        ["state"],
        [
            (["new"], states.new),
            (["connecting"], states.connecting),
            (["connected"], states.connected),
            (["disconnected"], states.disconnected),
            (["failed"], states.failed),
        ],
    )?;
    let opened = [([], metrics.opened)];
    families.counters("webrtc_connections_opened", "Connections that were opened", [], opened)?;
    let closed = metrics.closed.iter().map(|(reason, count)| ([reason.as_str()], *count));
    families.counters(
        "webrtc_connections_closed",
        "Connections that have ended",
        ["reason"],
        closed,
    )?;
    let reaped = metrics.closed.iter().filter(|(reason, _)| reason.is_reaped());
    families.counters(
        "webrtc_connections_reaped",
        "Connections that the reaper closed",
        ["reason"],
        reaped.map(|(reason, count)| ([reason.as_str()], *count)),
    )?;
    families.counters(
        "webrtc_connection_failures",
        "Connections that failed or never connected",
        ["stage", "cause"],
        metrics
            .failures
            .iter()
            .map(|(stage, cause, count)| ([stage.as_str(), cause.as_str()], *count)),
    )?;
    families.gauges(
        "webrtc_connections_unreleased",
        "Closed connections that the application still holds",
        [],
        [([], metrics.unreleased)],
    )?;
    families.histograms(
        "webrtc_connection_duration",
        "Duration of connections",
        Some(&Unit::Seconds),
        [],
        [([], &metrics.lifetimes)],
    )?;
    families.histograms(
        "webrtc_close_duration",
        "Duration of closes",
        Some(&Unit::Seconds),
        ["outcome"],
        metrics.closes.iter().map(|(outcome, times)| ([*outcome], times)),
    )
}

fn setup(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let outcome = |succeeded: bool| if succeeded { "succeeded" } else { "failed" };
    families.histograms(
        "webrtc_connection_setup",
        "Duration of connection setup",
        Some(&Unit::Seconds),
        ["phase", "outcome"],
        metrics
            .setups
            .iter()
            .map(|(phase, succeeded, times)| ([*phase, outcome(*succeeded)], times)),
    )?;
    families.counters(
        "webrtc_ice_restarts",
        "ICE restarts",
        ["outcome"],
        [
            (["answered"], metrics.ice_restarts_answered),
            (["unanswered"], metrics.ice_restarts_unanswered),
        ],
    )?;
    families.counters(
        "webrtc_selected_pairs",
        "First candidate pair selected by each connection",
        ["local_type", "remote_type", "protocol"],
        metrics.selected_pairs.iter().map(|(local, remote, protocol, count)| {
            ([local.as_str(), remote.as_str(), protocol.as_str()], *count)
        }),
    )?;
    families.histograms(
        "webrtc_round_trip_time",
        "Round trip times of the selected pairs",
        Some(&Unit::Seconds),
        [],
        [([], &metrics.round_trip_times)],
    )
}

fn traffic(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let all = &metrics.traffic;
    let media = || all.iter().filter(|traffic| traffic.kind != "data");
    families.histograms(
        "webrtc_jitter",
        "Jitter of received streams",
        Some(&Unit::Seconds),
        ["kind"],
        media().map(|it| ([it.kind], &it.jitter)),
    )?;
    families.histograms(
        "webrtc_quality_score",
        "Mean opinion scores of received streams, 1 to 4.5",
        None,
        ["kind"],
        media().map(|it| ([it.kind], &it.quality)),
    )?;
    families.counters(
        "webrtc_bytes",
        "Payload bytes of media and data channels",
        ["direction", "kind"],
        all.iter().flat_map(|it| {
            [(["sent", it.kind], it.bytes_sent), (["received", it.kind], it.bytes_received)]
        }),
    )?;
    families.counters(
        "webrtc_packets",
        "Media packets",
        ["direction", "kind"],
        media().flat_map(|it| {
            [(["sent", it.kind], it.packets_sent), (["received", it.kind], it.packets_received)]
        }),
    )?;
    families.counters(
        "webrtc_packets_lost",
        "Media packets that were lost",
        ["direction", "kind"],
        media().map(|it| (["received", it.kind], it.packets_lost)),
    )?;
    families.gauges(
        "webrtc_data_channels",
        "Data channels that are not closed",
        ["state"],
        metrics.data_channels.iter().map(|(state, count)| ([state.as_str()], *count)),
    )?;
    families.counters(
        "webrtc_data_channel_messages",
        "Messages on data channels",
        ["direction"],
        [(["sent"], metrics.messages_sent), (["received"], metrics.messages_received)],
    )
}

fn operations(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let all = &metrics.operations;
    families.counters(
        "webrtc_operations",
        "Operations that have ended",
        ["operation", "outcome"],
        all.iter().flat_map(|it| {
            it.counts.by_outcome().map(|(outcome, count)| ([it.kind, outcome], count))
        }),
    )?;
    families.histograms(
        "webrtc_operation_duration",
        "Duration of operations",
        Some(&Unit::Seconds),
        ["operation", "outcome"],
        all.iter().flat_map(|it| {
            let outcomes = it.counts.by_outcome().into_iter().zip(&it.durations);
            outcomes.map(|((outcome, _), durations)| ([it.kind, outcome], durations))
        }),
    )?;
    families.gauges(
        "webrtc_operations_in_flight",
        "Operations in progress",
        ["operation"],
        all.iter().map(|it| ([it.kind], it.counts.in_flight())),
    )
}

fn tasks(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let all = &metrics.tasks;
    families.gauges(
        "webrtc_tasks",
        "Tasks that have not ended",
        ["name", "state"],
        all.iter().flat_map(|it| {
            let pending = it.pending.saturating_sub(it.stuck);
            [([it.name, "pending"], pending), ([it.name, "stuck"], it.stuck)]
        }),
    )?;
    families.gauges(
        "webrtc_tasks_orphaned",
        "Tasks whose connection has ended",
        ["name"],
        all.iter().map(|it| ([it.name], it.orphaned)),
    )?;
    families.counters(
        "webrtc_tasks_finished",
        "Tasks that have ended",
        ["name", "outcome"],
        all.iter().flat_map(|it| {
            it.ends.by_outcome().map(|(outcome, count)| ([it.name, outcome], count))
        }),
    )
}
