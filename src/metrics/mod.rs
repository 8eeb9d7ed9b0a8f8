//! The metrics as OpenMetrics text, for Prometheus and compatible scrapers.
//!
//! | Name | Type | Labels |
//! |---|---|---|
//! | `webrtc_connections` | gauge | `state`; live connections only |
//! | `webrtc_connections_opened_total` | counter | |
//! | `webrtc_connections_closed_total` | counter | `reason` |
//! | `webrtc_connection_failures_total` | counter | `stage`, `cause` |
//! | `webrtc_connection_setup_seconds` | histogram | `phase`, `outcome` |
//! | `webrtc_connection_duration_seconds` | histogram | |
//! | `webrtc_connections_unreleased` | gauge | |
//! | `webrtc_connections_reaped_total` | counter | `reason` |
//! | `webrtc_close_duration_seconds` | histogram | `outcome` |
//! | `webrtc_ice_restarts_total` | counter | `outcome` |
//! | `webrtc_selected_pairs_total` | counter | `local_type`, `remote_type`, `protocol` |
//! | `webrtc_round_trip_time_seconds` | histogram | |
//! | `webrtc_jitter_seconds` | histogram | `kind` |
//! | `webrtc_bytes_total`, `webrtc_packets_total` | counter | `direction`, `kind`; packets only of media |
//! | `webrtc_packets_lost_total` | counter | `direction`, `kind`; only of received media, since `webrtc` 0.21 does not have the remote side's reports |
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
//! Every value is read from a counter, so the cost of encoding does not depend on the number of
//! connections. No label has a value that a remote side can choose. Up to
//! [`Limits::names`](crate::monitor::Limits::names) names of the application's operations, and as
//! many of its tasks, are counted separately; further names are counted as `other`.

mod families;
mod prometheus;
mod snapshot;

use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::registry::Registry;

use self::prometheus::prometheus;
use self::snapshot::Snapshot;
use crate::monitor::Monitor;

/// The text format of the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OpenMetrics 1.0, which Prometheus requests.
    #[default]
    OpenMetrics,
    /// The Prometheus text format 0.0.4, for scrapers that support no other.
    Prometheus,
}

impl Format {
    /// Returns the media type, for the `Content-Type` of an HTTP response.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Encodes the current metrics of a monitor, for the response to a scraper.
///
/// ```
/// use anypeer::Peers;
/// use anypeer::metrics::{self, Format};
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
///
/// let text = metrics::encode(&monitor, Format::OpenMetrics);
/// let content_type = Format::OpenMetrics.content_type(); // Send it with the text.
/// assert!(text.contains("webrtc_connections{state=\"connected\"} 0\n"));
/// # assert!(content_type.starts_with("application/openmetrics-text"));
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[must_use]
pub fn encode(monitor: &Monitor, format: Format) -> String {
    let text = open_metrics(monitor);
    match format {
        Format::OpenMetrics => text,
        Format::Prometheus => prometheus(&text),
    }
}

fn open_metrics(monitor: &Monitor) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(monitor.metrics())));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _written = encode_text(&mut text, &registry);
    text
}
