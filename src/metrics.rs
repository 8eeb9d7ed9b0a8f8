//! The numbers as OpenMetrics text, for Prometheus and its like.
//!
//! | Name | Type | Labels |
//! |---|---|---|
//! | `webrtc_connections` | gauge | `state`: those that have not ended |
//! | `webrtc_connections_opened_total` | counter | |
//! | `webrtc_connections_closed_total` | counter | `reason` |
//! | `webrtc_connection_failures_total` | counter | `stage`, `cause` |
//! | `webrtc_connection_setup_seconds` | histogram | `phase`, `outcome` |
//! | `webrtc_connection_duration_seconds` | histogram | |
//! | `webrtc_connections_unreleased` | gauge | closed, and still held by the application |
//! | `webrtc_connections_reaped_total` | counter | `reason` |
//! | `webrtc_close_duration_seconds` | histogram | `outcome` |
//! | `webrtc_ice_restarts_total` | counter | `outcome` |
//! | `webrtc_selected_pairs_total` | counter | `local_type`, `remote_type`, `protocol` |
//! | `webrtc_round_trip_time_seconds` | histogram | |
//! | `webrtc_jitter_seconds` | histogram | `kind` |
//! | `webrtc_bytes_total`, `webrtc_packets_total` | counter | `direction`, `kind`; packets of media alone |
//! | `webrtc_packets_lost_total` | counter | `direction`, `kind`; of received media alone, since `webrtc` 0.21 does not know what the remote side reports |
//! | `webrtc_data_channels` | gauge | `state` |
//! | `webrtc_data_channel_messages_total` | counter | `direction` |
//! | `webrtc_quality_score` | histogram | `kind` |
//! | `webrtc_operations_total` | counter | `operation`, `outcome` |
//! | `webrtc_operation_duration_seconds` | histogram | `operation`, `outcome` |
//! | `webrtc_operations_in_flight` | gauge | `operation` |
//! | `webrtc_tasks` | gauge | `name`, `state` (`pending`, `stuck`) |
//! | `webrtc_tasks_orphaned` | gauge | `name` |
//! | `webrtc_tasks_finished_total` | counter | `name`, `outcome` |
//! | `webrtc_monitor_events_dropped_total` | counter | `sink` |
//!
//! Every value is read from a counter, whatever the number of connections. No label has a value
//! that a remote side has chosen, and names that an application gives are told apart up to
//! [`Limits::names`](crate::monitor::Limits::names), and are `other` beyond.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::monitor::{Distribution, Metrics, Monitor};

/// How the numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OpenMetrics 1.0, which Prometheus asks for.
    #[default]
    OpenMetrics,
    /// Prometheus' own text format 0.0.4, for what knows no other.
    Prometheus,
}

impl Format {
    /// The media type, for an HTTP response.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The monitor's numbers now.
#[must_use]
pub fn encode(monitor: &Monitor, format: Format) -> String {
    let text = open_metrics(monitor);
    match format {
        Format::OpenMetrics => text,
        Format::Prometheus => prometheus(&text),
    }
}

/// The same text where the name of a counter's family has its `_total`, and without what the older
/// format does not know.
fn prometheus(text: &str) -> String {
    let mut counters = HashSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|it| it.strip_suffix(" counter"))
        {
            counters.insert(name);
        }
    }
    let mut older = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(name).then_some((*start, name, rest))
        });
        match described {
            Some((start, name, rest)) => {
                older.extend([start, name, "_total ", rest, "\n"]);
            }
            None => older.extend([line, "\n"]),
        }
    }
    older
}

fn open_metrics(monitor: &Monitor) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(monitor.metrics())));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _written = encode_text(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Snapshot(Metrics);

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
        "Connections that were closed without being asked",
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
        "Closed connections of which the application still holds something",
        [],
        [([], metrics.unreleased)],
    )?;
    families.histograms(
        "webrtc_connection_duration",
        "How long connections lasted",
        Some(&Unit::Seconds),
        [],
        [([], &metrics.lifetimes)],
    )?;
    families.histograms(
        "webrtc_close_duration",
        "How long closes took",
        Some(&Unit::Seconds),
        ["outcome"],
        metrics.closes.iter().map(|(outcome, times)| ([*outcome], times)),
    )
}

fn setup(metrics: &Metrics, families: &mut Families<'_>) -> Result<(), Error> {
    let outcome = |succeeded: bool| if succeeded { "succeeded" } else { "failed" };
    families.histograms(
        "webrtc_connection_setup",
        "How long connections took to be set up",
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
        "Candidate pairs that connections came to use first",
        ["local_type", "remote_type", "protocol"],
        metrics.selected_pairs.iter().map(|(local, remote, protocol, count)| {
            ([local.as_str(), remote.as_str(), protocol.as_str()], *count)
        }),
    )?;
    families.histograms(
        "webrtc_round_trip_time",
        "Round trips of the selected pairs",
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
        "Bytes of media and of data",
        ["direction", "kind"],
        all.iter().flat_map(|it| {
            [(["sent", it.kind], it.bytes_sent), (["received", it.kind], it.bytes_received)]
        }),
    )?;
    families.counters(
        "webrtc_packets",
        "Packets of media",
        ["direction", "kind"],
        media().flat_map(|it| {
            [(["sent", it.kind], it.packets_sent), (["received", it.kind], it.packets_received)]
        }),
    )?;
    families.counters(
        "webrtc_packets_lost",
        "Packets of media that were lost",
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
            [
                ([it.kind, "completed"], it.counts.completed),
                ([it.kind, "failed"], it.counts.failed),
                ([it.kind, "canceled"], it.counts.cancelled),
            ]
        }),
    )?;
    families.histograms(
        "webrtc_operation_duration",
        "How long operations took",
        Some(&Unit::Seconds),
        ["operation", "outcome"],
        all.iter().flat_map(|it| {
            let [completed, failed, cancelled] = &it.durations;
            [
                ([it.kind, "completed"], completed),
                ([it.kind, "failed"], failed),
                ([it.kind, "canceled"], cancelled),
            ]
        }),
    )?;
    families.gauges(
        "webrtc_operations_in_flight",
        "Operations under way",
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
        "Tasks that are there without their peers",
        ["name"],
        all.iter().map(|it| ([it.name], it.orphaned)),
    )?;
    families.counters(
        "webrtc_tasks_finished",
        "Tasks that have ended",
        ["name", "outcome"],
        all.iter().flat_map(|it| {
            [
                ([it.name, "ok"], it.ends.completed),
                ([it.name, "error"], it.ends.failed),
                ([it.name, "panic"], it.ends.panicked),
                ([it.name, "aborted"], it.ends.cancelled + it.ends.lost),
            ]
        }),
    )
}

/// Writes one family after the other. A counter's name is given without its `_total`, and that of
/// a metric with a unit without the unit.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], u64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(labels, value)| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            labelled(&mut family, keys, labels, |metric| metric.encode_gauge(&value))
        })
    }

    fn counters<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], u64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        values.into_iter().try_for_each(|(labels, value)| {
            labelled(&mut family, keys, labels, |metric| {
                metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
            })
        })
    }

    fn histograms<D: Borrow<Distribution>, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], D)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        values.into_iter().try_for_each(|(labels, values)| {
            let values = values.borrow();
            // The greatest finite number is how the library writes the last bound.
            let buckets: Vec<_> =
                values.buckets.iter().map(|(bound, count)| (bound.min(f64::MAX), *count)).collect();
            labelled(&mut family, keys, labels, |metric| {
                metric.encode_histogram::<NoLabelSet>(values.sum, values.count, &buckets, None)
            })
        })
    }
}

fn labelled<const N: usize>(
    family: &mut MetricEncoder<'_>,
    keys: [&str; N],
    values: [&str; N],
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if N == 0 {
        return encode(family);
    }
    let labels: Vec<(&str, &str)> = keys.into_iter().zip(values).collect();
    encode(&mut family.encode_family(&labels)?)
}
