//! What watching costs, as ratios in one run; beside them the figures of the Python original, which
//! were measured on another day and machine.
//!
//! `cargo bench --all-features --bench monitor [-- fold|summary|sample|throughput]`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench brings its own executors, and prints"
)]

#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod shared;
#[path = "shared/still.rs"]
mod still;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anypeer::monitor::{Monitor, SampleOptions};
use anypeer::peer::ReaperOptions;
use anypeer::runtime::Runtime;
use anypeer::{ConnectionState, Event, EventKind, OperationId, Peer, PeerOptions, Peers};
use futures::future::join_all;

use shared::loopback::Pair;
use shared::{
    Backend, compare, cpu_time, cpu_time_of, each_backend, median, print_head, throughput, time,
};
use still::{Still, Tap};

fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = |name| chosen.as_deref().is_none_or(|chosen| chosen == name);
    print_head();
    if runs("fold") {
        operations();
        states();
    }
    if runs("summary") {
        summary();
    }
    if runs("sample") {
        each_backend("CPU of sampling 1,000 peers each second", 0.02, sample);
    }
    if runs("throughput") {
        let peers = |backend: &Backend| {
            let monitor = Monitor::new().expect("threads");
            Peers::builder().runtime(backend.ours.clone()).monitor(&monitor).build()
        };
        each_backend("time of 8 MiB, monitored", 1.0 / 0.97, |backend, name, limit| {
            throughput(backend, name, limit, peers);
        });
    }
}

const PAIRS: usize = 301;
const ROUNDS: u32 = 2000;

/// Starting and ending an operation, against a box, two readings of the clock, and an insertion
/// into a map under a lock and a removal from it. The original: 7,723 ns.
fn operations() {
    struct Bare {
        kind: &'static str,
        started: Instant,
    }
    let map: Mutex<HashMap<OperationId, Box<Bare>>> = Mutex::default();
    let monitor = Monitor::new().expect("threads");
    compare(
        "operation, start and end (the original 7,723 ns)",
        1.5,
        PAIRS,
        || {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                let id = OperationId::generate();
                let bare = Box::new(Bare { kind: "work", started: Instant::now() });
                map.lock().unwrap().insert(id, bare);
                let ended = map.lock().unwrap().remove(&id).expect("it is there");
                black_box((ended.kind, ended.started.elapsed()));
            }
            start.elapsed() / ROUNDS
        },
        || {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                monitor.new_operation("work").start().complete();
            }
            start.elapsed() / ROUNDS
        },
    );
}

/// A change of state, against the lock of a record and a reading of the clock. The original: 15,086
/// ns for four and the beginning and end of a connection.
fn states() {
    let monitor = Monitor::new().expect("threads");
    let tap = Arc::new(Tap::new(&monitor));
    let runtime = Runtime::background().expect("threads");
    let peers = Peers::builder().runtime(runtime).observer(Arc::clone(&tap) as _).build();
    let peer = peers.insert(Arc::new(Still), PeerOptions::new()).expect("it is taken");
    let told = tap.told.lock().unwrap().clone().expect("the monitor has a record for it");
    let record = Mutex::new((ConnectionState::New, Instant::now()));
    let states = [ConnectionState::Connected, ConnectionState::Disconnected];
    compare(
        "change of state, told",
        2.0,
        PAIRS,
        || {
            let start = Instant::now();
            for round in 0..ROUNDS {
                let state = states[round as usize % 2];
                *black_box(&record).lock().unwrap() = (state, Instant::now());
            }
            start.elapsed() / ROUNDS
        },
        || {
            let start = Instant::now();
            for round in 0..ROUNDS {
                let state = states[round as usize % 2];
                let kind = EventKind::ConnectionStateChanged { state };
                told.on_event(&Event::new(Some(peer.id()), Instant::now(), kind));
            }
            start.elapsed() / ROUNDS
        },
    );
}

/// A summary at 100,000 connections against one at 100. The original: 0.20 ms at 1,000, 90 ms at
/// 100,000.
fn summary() {
    let watched = |count: usize| {
        let monitor = Monitor::new().expect("threads");
        let runtime = Runtime::background().expect("threads");
        let peers = Peers::builder().runtime(runtime).monitor(&monitor);
        let peers = peers.reaper(ReaperOptions::off()).build();
        let insert = |_| peers.insert(Arc::new(Still), PeerOptions::new()).expect("it is taken");
        let opened: Vec<Peer> = (0..count).map(insert).collect();
        (monitor, peers, opened)
    };
    let (few, many) = (watched(100), watched(100_000));
    let time = |monitor: &Monitor| {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(monitor.summary());
        }
        start.elapsed() / ROUNDS
    };
    assert_eq!(many.0.summary().states.live(), 100_000);
    compare("summary at 100,000 against 100", 1.2, PAIRS, || time(&few.0), || time(&many.0));
}

const PEERS: usize = 1000;
const AT_ONCE: usize = 50;

/// The share of a core that goes into sampling 1,000 connected peers each second: the processor
/// time of the threads that sample, with that less where nothing is sampled. The columns of times
/// are those of the whole process in one second, and that of ratios is the share.
fn sample(backend: &Backend, name: &str, limit: f64) {
    const SECONDS: u32 = 10;
    const TIMES: usize = 3;
    let interval = |seconds| {
        // What is measured is what sampling takes, and not how it is kept down.
        let interval = Duration::from_secs(seconds);
        SampleOptions::new().interval(interval).share(1.0)
    };
    let measured = [3600, 1].map(|seconds| {
        let monitor = Monitor::builder().sample(interval(seconds)).build().expect("threads");
        let peers = Peers::builder().runtime(backend.ours.clone()).monitor(&monitor);
        let peers = peers.reaper(ReaperOptions::off()).build();
        let set = peers.clone();
        let pairs = backend.run(Box::pin(async move {
            let mut pairs = Vec::new();
            while pairs.len() < PEERS / 2 {
                let batch =
                    (0..AT_ONCE).map(|_| Pair::open(&set, PeerOptions::new(), PeerOptions::new()));
                pairs.extend(join_all(batch).await);
            }
            async_io::Timer::after(Duration::from_secs(1)).await;
            pairs
        }));
        assert!(pairs.iter().all(Result::is_ok));
        let (mut whole, mut own) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            let times = || [cpu_time(), cpu_time_of(|name| name.starts_with("anypeer"))];
            let (before, sampled) = (times(), monitor.samples_taken());
            backend.run(Box::pin(async {
                async_io::Timer::after(Duration::from_secs(SECONDS.into())).await;
            }));
            let took = times();
            let sampled = monitor.samples_taken() - sampled;
            let expected = if seconds == 1 { PEERS as u64 * u64::from(SECONDS) } else { 0 };
            assert!(sampled.abs_diff(expected) < 500, "{sampled} samples");
            let second = |i: usize| took[i].saturating_sub(before[i]).as_secs_f64() / 10.0;
            whole.push(second(0));
            own.push(second(1));
        }
        backend.run(Box::pin(async move { assert!(peers.shutdown().await.all_closed()) }));
        (median(&mut whole), median(&mut own))
    });
    let [(unsampled, idle), (sampled, busy)] = measured;
    let share = busy - idle;
    println!("{name:<52}{:>8}{:>10}{share:>10.4}{limit:>8.3}", time(unsampled), time(sampled));
}
