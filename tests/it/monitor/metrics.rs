//! The numbers, as text.

use anypeer::metrics::{Format, encode};
use anypeer::monitor::Monitor;
use anypeer::{PeerOptions, Peers};

use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::Pair;
use crate::support::poll::until;

/// Each with what is in its line of TYPE.
const FAMILIES: &[(&str, &str)] = &[
    ("webrtc_connections", "gauge"),
    ("webrtc_connections_opened", "counter"),
    ("webrtc_connections_closed", "counter"),
    ("webrtc_connection_failures", "counter"),
    ("webrtc_connection_setup_seconds", "histogram"),
    ("webrtc_connection_duration_seconds", "histogram"),
    ("webrtc_connections_unreleased", "gauge"),
    ("webrtc_connections_reaped", "counter"),
    ("webrtc_close_duration_seconds", "histogram"),
    ("webrtc_ice_restarts", "counter"),
    ("webrtc_selected_pairs", "counter"),
    ("webrtc_round_trip_time_seconds", "histogram"),
    ("webrtc_jitter_seconds", "histogram"),
    ("webrtc_bytes", "counter"),
    ("webrtc_packets", "counter"),
    ("webrtc_packets_lost", "counter"),
    ("webrtc_data_channels", "gauge"),
    ("webrtc_data_channel_messages", "counter"),
    ("webrtc_quality_score", "histogram"),
    ("webrtc_operations", "counter"),
    ("webrtc_operation_duration_seconds", "histogram"),
    ("webrtc_operations_in_flight", "gauge"),
    ("webrtc_tasks", "gauge"),
    ("webrtc_tasks_orphaned", "gauge"),
    ("webrtc_tasks_finished", "counter"),
    ("webrtc_monitor_events_dropped", "counter"),
];

/// The value of a sample, by its whole name with labels.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("expected {sample} in\n{text}"));
    line.parse().expect("a number")
}

#[test]
fn every_family_is_there_with_its_type_and_says_what_has_happened() {
    let monitor = Monitor::new().expect("threads");
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    host.in_task(async move {
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new()).await;
        let pair = pair.expect("connects");
        pair.answerer_seen.connected.wait().await;
        assert!(pair.offerer.tasks().spawn("work", async {}).await.is_ok());
        assert!(peers.shutdown().await.all_closed());
    });
    until("everything to end", || {
        let summary = monitor.summary();
        summary.unreleased == 0 && summary.operations.in_flight() == 0
    });
    let text = encode(&monitor, Format::OpenMetrics);
    for (name, kind) in FAMILIES {
        assert!(
            text.contains(&format!("# TYPE {name} {kind}\n")),
            "expected {name}: {kind}\n{text}"
        );
        assert!(text.contains(&format!("# HELP {name} ")), "expected help for {name}\n{text}");
    }
    assert_eq!(text.matches("# TYPE ").count(), FAMILIES.len(), "expected no other family");
    assert!(text.ends_with("# EOF\n"));
    for (sample, expected) in [
        ("webrtc_connections_opened_total", 2.0),
        ("webrtc_connections_closed_total{reason=\"shutdown\"}", 2.0),
        ("webrtc_connections_closed_total{reason=\"failed\"}", 0.0),
        ("webrtc_connections{state=\"connected\"}", 0.0),
        ("webrtc_connection_setup_seconds_count{phase=\"total\",outcome=\"succeeded\"}", 2.0),
        ("webrtc_connection_setup_seconds_count{phase=\"total\",outcome=\"failed\"}", 0.0),
        ("webrtc_close_duration_seconds_count{outcome=\"graceful\"}", 2.0),
        ("webrtc_close_duration_seconds_bucket{le=\"+Inf\",outcome=\"graceful\"}", 2.0),
        (
            "webrtc_selected_pairs_total{local_type=\"host\",remote_type=\"host\",protocol=\"udp\"}",
            2.0,
        ),
        ("webrtc_operations_total{operation=\"close\",outcome=\"completed\"}", 2.0),
        ("webrtc_operations_total{operation=\"shutdown\",outcome=\"completed\"}", 1.0),
        ("webrtc_tasks_finished_total{name=\"work\",outcome=\"ok\"}", 1.0),
        ("webrtc_tasks{name=\"work\",state=\"pending\"}", 0.0),
        ("webrtc_connections_unreleased", 0.0),
    ] {
        assert_eq!(value(&text, sample), expected, "{sample}");
    }
    let sum: f64 = text
        .lines()
        .filter(|line| line.starts_with("webrtc_connections_closed_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert_eq!(sum, 2.0, "expected every end to have one reason");

    let older = encode(&monitor, Format::Prometheus);
    assert!(older.contains("# TYPE webrtc_connections_opened_total counter\n"), "{older}");
    assert!(!older.contains("# EOF") && !older.contains("# UNIT"), "{older}");
    let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&older), samples(&text));
}
