//! Watching: `cargo run --release --features log,metrics,dump --example monitor -- --out DIR`.
//!
//! Connects real peers over loopback, some of which cannot, closes them, and shows what the monitor
//! knows. The folder gets the log, the metrics in both formats, and both dumps.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

#[path = "shared/flag.rs"]
mod flag;
#[path = "shared/loopback.rs"]
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anypeer::log::LogOptions;
use anypeer::metrics::Format;
use anypeer::monitor::{ConnectionInfo, Monitor};
use anypeer::peer::ReaperOptions;
use anypeer::runtime::SmolSpawner;
use anypeer::webrtc::peer_connection::RTCSessionDescription;
use anypeer::webrtc::{Peer, data_channel::DataChannel};
use anypeer::{PeerOptions, Peers, dump, metrics};
use async_io::Timer;
use futures::future::try_join_all;

use loopback::{Error, Pair, Seen, open};

const USAGE: &str =
    "usage: [--out DIR]   where files are written; ./monitor-out unless said otherwise";

fn main() -> ExitCode {
    let out = match arguments(std::env::args().skip(1)) {
        Ok(out) => out,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match smol::block_on(demonstrate(&out)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(PathBuf::from("monitor-out")),
        (Some("--out"), Some(dir)) if arguments.next().is_none() => Ok(dir.into()),
        _ => Err("these arguments are not known".into()),
    }
}

async fn demonstrate(out: &Path) -> Result<bool, Error> {
    std::fs::create_dir_all(out)?;
    let monitor = Monitor::builder().log(LogOptions::new(out.join("logs"))).build()?;
    // Soon, since this waits for it.
    let reaper = ReaperOptions::new().never_connected(Some(Duration::from_secs(2)));
    let peers =
        Peers::builder().runtime(SmolSpawner::new()).monitor(&monitor).reaper(reaper).build();

    let named = |id: &str| PeerOptions::new().id(id).group("room");
    let pairs = try_join_all((0..3).map(|number| {
        Pair::open(
            &peers,
            named(&format!("offerer {number}")),
            named(&format!("answerer {number}")),
        )
    }));
    let pairs = pairs.await?;
    for pair in &pairs {
        send(&*pair.channel, 100).await?;
    }
    pairs[0].offerer.tasks().spawn("pump", std::future::pending::<()>());
    let parsed = monitor.new_operation("parse").try_call(|| "seven".parse::<u32>());
    assert!(parsed.is_err(), "expected no number");

    // One whose offer nobody answers, and two of which one has a wrong fingerprint.
    let (unanswered, seen) = open(&peers, named("unanswered")).await?;
    offer(&unanswered, &seen).await?;
    let (forged, forged_seen) = open(&peers, named("forged")).await?;
    let (deceived, deceived_seen) = open(&peers, named("deceived")).await?;
    let wrong = with_wrong_fingerprint(&offer(&forged, &forged_seen).await?)?;
    deceived.set_remote_description(wrong).await?;
    deceived.set_local_description(deceived.create_answer(None).await?).await?;
    deceived_seen.gathered.wait().await;
    let answer = deceived.local_description().await?.ok_or("it was set")?;
    forged.set_remote_description(answer).await?;

    println!("while they are connected: {}", monitor.summary().health);
    println!("{:?}", monitor.summary().states);
    while monitor.summary().states.live() > 6 {
        Timer::after(Duration::from_millis(50)).await;
    }
    let live = monitor.connections(0, usize::MAX);
    std::fs::write(out.join("metrics.txt"), metrics::encode(&monitor, Format::OpenMetrics))?;
    std::fs::write(out.join("metrics.prom"), metrics::encode(&monitor, Format::Prometheus))?;

    let report = peers.shutdown().await;
    println!("\n{report}");
    drop((pairs, unanswered, forged, deceived));
    while monitor.summary().unreleased > 0 {
        Timer::after(Duration::from_millis(10)).await;
    }
    monitor.flush().await;
    let closed = monitor.closed();
    std::fs::write(
        out.join("internals.json"),
        dump::internals(&[&live[..], &closed[..]].concat()),
    )?;
    std::fs::write(out.join("rtcstats.txt"), dump::rtcstats(&closed))?;
    show(&monitor, &closed);
    println!("\nwritten to {}: the log, metrics and dumps", out.display());

    let summary = monitor.summary();
    let explained = closed.iter().filter(|info| info.diagnosis.is_some()).count();
    Ok(report.all_closed()
        && summary.states.closed == 9
        && summary.states.total() == 9
        && summary.operations.in_flight() == 0
        && summary.tasks.pending() == 0
        && summary.dropped == 0
        && explained == 3)
}

async fn send(channel: &dyn DataChannel, messages: usize) -> Result<(), Error> {
    for _ in 0..messages {
        channel.send(b"hello"[..].into()).await?;
    }
    Ok(())
}

async fn offer(peer: &Peer, seen: &Seen) -> Result<RTCSessionDescription, Error> {
    peer.create_data_channel("data", None).await?;
    peer.set_local_description(peer.create_offer(None).await?).await?;
    seen.gathered.wait().await;
    Ok(peer.local_description().await?.ok_or("it was set")?)
}

fn with_wrong_fingerprint(offer: &RTCSessionDescription) -> Result<RTCSessionDescription, Error> {
    const PREFIX: &str = "a=fingerprint:sha-256 ";
    let at = offer.sdp.find(PREFIX).ok_or("it has one")? + PREFIX.len();
    let wrong = if offer.sdp[at..].starts_with("00") { "11" } else { "00" };
    let sdp = format!("{}{wrong}{}", &offer.sdp[..at], &offer.sdp[at + 2..]);
    Ok(RTCSessionDescription::offer(sdp)?)
}

fn show(monitor: &Monitor, closed: &[ConnectionInfo]) {
    println!("\n{:<12} {:<16} {:>9}  why it failed", "connection", "closed for", "lasted");
    let mut closed: Vec<_> = closed.iter().collect();
    closed.sort_by_key(|info| info.number);
    for info in &closed {
        let reason = info.end.as_ref().map_or("-", |end| end.reason.as_str());
        let lasted = format!("{:.2} s", info.age.as_secs_f64());
        let why = info.diagnosis.as_ref().map(ToString::to_string).unwrap_or_default();
        let why = why.replace("\n  ", ";\n                                          ");
        println!("{:<12} {reason:<16} {lasted:>9}  {why}", info.id.as_str());
    }
    if let Some(first) = closed.first() {
        println!("\nthe life of {}:", first.id);
        for (at, what) in &first.timeline {
            let after = at.duration_since(first.created_at).unwrap_or_default();
            println!("{:>9.1} ms  {what}", after.as_secs_f64() * 1e3);
        }
    }
    println!(
        "\n{:<24} {:>6} {:>6} {:>6} {:>10}",
        "operation", "done", "failed", "cancel", "median"
    );
    for kind in monitor.metrics().operations {
        let median = kind.durations[0].quantile(0.5);
        let median = median.map_or("-".into(), |time| format!("{:.2} ms", time * 1e3));
        let counts = kind.counts;
        println!(
            "{:<24} {:>6} {:>6} {:>6} {median:>10}",
            kind.kind, counts.completed, counts.failed, counts.cancelled
        );
    }
}
