//! What the monitor keeps under load that is meant to make it grow, counted byte for byte.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and brings its own threads"
)]
#![cfg(feature = "monitor")]

#[allow(dead_code, reason = "several programs share it, and each uses a part")]
#[path = "it/support/fake.rs"]
mod fake;
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
#[path = "it/support/panics.rs"]
mod panics;
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
#[path = "it/support/poll.rs"]
mod poll;

use std::alloc::System;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anypeer::monitor::{Limits, Monitor, Summary};
use anypeer::peer::ReaperOptions;
use anypeer::runtime::Runtime;
use anypeer::task::TaskGroup;
use anypeer::{ConnectionState, Outcome, PeerOptions, Peers};
use fake::Fake;
use poll::{PATIENCE, block_on, poll};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time: the allocator counts the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection without a network, so that there can be 100,000 of them: what is tested is what
/// the monitor makes of them.
fn quick() -> Arc<Fake> {
    Arc::new(Fake::new().cooperative().state(ConnectionState::New).tells_release())
}

fn small() -> Limits {
    Limits::new()
        .closed_connections(64)
        .timeline(16)
        .active_operations(512)
        .finished_operations(256)
        .names(16)
}

fn watched(limits: Limits) -> (Monitor, Peers) {
    let monitor = Monitor::builder().limits(limits).build().expect("threads");
    let runtime = Runtime::background().expect("threads");
    let peers = Peers::builder().runtime(runtime).monitor(&monitor).build();
    (monitor, peers)
}

/// Waits until nothing goes on, and holds the numbers against each other: that of those that were
/// ever `opened`, that of the states, and those of the ends.
fn rest(monitor: &Monitor, opened: u64) -> Summary {
    let rest = poll(PATIENCE, || {
        let summary = monitor.summary();
        let busy = summary.operations.in_flight() + summary.tasks.pending() + summary.unreleased;
        (busy == 0).then_some(summary)
    });
    let summary =
        rest.unwrap_or_else(|| panic!("expected everything to end: {:?}", monitor.summary()));
    let metrics = monitor.metrics();
    let states = summary.states;
    assert_eq!(states.total(), opened, "{states:?}");
    let ends: u64 = metrics.closed.iter().map(|(_, count)| count).sum();
    assert_eq!(states.closed, ends, "expected every end to have one reason: {metrics:?}");
    let operations = summary.operations;
    let ended = operations.completed + operations.failed + operations.cancelled;
    assert_eq!(operations.started, ended, "{operations:?}");
    let of_kinds: u64 = metrics.operations.iter().map(|it| it.counts.started).sum();
    assert_eq!(operations.started, of_kinds, "expected every one to have a kind: {metrics:?}");
    summary
}

fn bytes(region: &Region<'_, System>) -> usize {
    let stats = region.change();
    let kept = stats.bytes_allocated.checked_sub(stats.bytes_deallocated);
    kept.expect("expected no more to be freed than was allocated")
}

#[test]
fn a_hundred_thousand_operations_on_unknown_ids_leave_no_more_than_the_limits_say() {
    let _alone = alone();
    let limits = small();
    let region = Region::new(ALLOCATOR);
    let (monitor, peers) = watched(limits);
    for number in 0..100_000 {
        // Ids of every length, some of them longer than an id may be.
        let id = format!("{number}-{}", "x".repeat(number % 400));
        assert_eq!(block_on(peers.close(id)), Outcome::NotFound);
    }
    let summary = rest(&monitor, 0);
    assert_eq!(summary.operations.failed, 100_000);
    let (kept, bound) = (bytes(&region), limits.memory_bound(0));
    println!("{kept} bytes are kept of 100,000 operations, at most {bound}");
    assert!((1..bound).contains(&kept), "expected {kept} bytes to be under {bound}");
    drop((monitor, peers));
}

#[test]
fn a_hundred_thousand_connections_leave_no_more_than_the_limits_say_and_no_phantom() {
    let _alone = alone();
    let limits = small();
    let region = Region::new(ALLOCATOR);
    let (monitor, peers) = watched(limits);
    for _ in 0..1000 {
        let opened: Vec<_> = (0..100)
            .map(|_| peers.insert(quick(), PeerOptions::new().group("room")))
            .map(|peer| peer.expect("it is taken"))
            .collect();
        assert!(block_on(peers.close_all()).all_closed());
        drop(opened);
    }
    let summary = rest(&monitor, 100_000);
    assert_eq!((summary.states.live(), summary.states.closed), (0, 100_000));
    assert_eq!((monitor.connections(0, 1).len(), monitor.closed().len()), (0, 64));
    let (kept, bound) = (bytes(&region), limits.memory_bound(0));
    println!("{kept} bytes are kept of 100,000 connections, at most {bound}");
    assert!((1..bound).contains(&kept), "expected {kept} bytes to be under {bound}");
    drop((monitor, peers));
}

#[test]
fn a_live_connection_takes_no_more_than_a_kilobyte() {
    const LIVE: usize = 10_000;
    let _alone = alone();
    // What lies in the timeline is counted by its own limit.
    let limits = small().timeline(0);
    let runtime = Runtime::background().expect("threads");
    let open = |peers: &Peers| -> Vec<_> {
        // A look of the reaper's is memory too, for as long as it takes.
        let options = || PeerOptions::new().reaper(ReaperOptions::off());
        let insert = || peers.insert(quick(), options());
        (0..LIVE).map(|_| insert().expect("it is taken")).collect()
    };
    let plain = Peers::builder().runtime(runtime).build();
    let region = Region::new(ALLOCATOR);
    let unwatched = open(&plain);
    let bare = bytes(&region);
    let (monitor, peers) = watched(limits);
    let region = Region::new(ALLOCATOR);
    let watched = open(&peers);
    let ours = bytes(&region);
    assert_eq!(monitor.summary().states.live(), LIVE as u64);
    let each = (ours - bare) / LIVE;
    println!("{each} bytes for each live connection");
    assert!(each <= 1024, "expected at most 1 KiB, and not {each} bytes");
    drop((unwatched, watched));
    // Nothing of it goes on beside the next test.
    block_on(async { (peers.shutdown().await, plain.shutdown().await) });
    rest(&monitor, LIVE as u64);
}

#[test]
fn an_operation_of_a_static_kind_without_details_is_one_allocation() {
    const COUNT: usize = 10_000;
    let _alone = alone();
    let (monitor, _peers) = watched(small());
    // The ring and the maps have their size after so many.
    (0..1000).for_each(|_| monitor.new_operation("work").start().complete());
    let region = Region::new(ALLOCATOR);
    (0..COUNT).for_each(|_| monitor.new_operation("work").start().complete());
    let allocations = region.change().allocations;
    println!("{allocations} allocations in {COUNT} operations");
    // The threads that sample may allocate meanwhile, now and then.
    assert!((COUNT..COUNT + COUNT / 100).contains(&allocations), "{allocations}");
}

#[test]
fn events_of_eight_threads_at_once_are_counted_exactly() {
    const EACH: usize = 2000;
    let _alone = alone();
    // Closes may queue up: each of them is to be known by its id.
    let limits = small().active_operations(1 << 16);
    let (monitor, peers) = watched(limits);
    let runtime = Runtime::background().expect("threads");
    let tasks = TaskGroup::builder(runtime).observer(monitor.observer()).build().expect("threads");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (monitor, peers, tasks) = (&monitor, &peers, &tasks);
            scope.spawn(move || {
                for number in 0..EACH {
                    let peer = peers.insert(quick(), PeerOptions::new());
                    let peer = peer.expect("it is taken");
                    let operation = monitor.new_operation("work").peer(peer.id()).start();
                    match (thread + number) % 3 {
                        0 => operation.complete(),
                        1 => operation.fail(&std::fmt::Error),
                        _ => drop(operation),
                    }
                    tasks.spawn("tick", async {});
                    drop(peers.close("unknown"));
                    match number % 2 {
                        0 => drop(peer.close()),
                        _ => drop(peer),
                    }
                }
            });
        }
    });
    block_on(tasks.idle());
    block_on(peers.idle());
    let all = 8 * EACH as u64;
    let summary = rest(&monitor, all);
    assert_eq!((summary.states.live(), summary.states.closed), (0, all));
    // One of its own, one close of an unknown peer, one close.
    assert_eq!(summary.operations.started, 3 * all);
    assert_eq!((summary.tasks.started, summary.tasks.ended), (all, all));
    let metrics = monitor.metrics();
    let work = metrics.operations.iter().find(|it| it.kind == "work").expect("it is known");
    assert_eq!(work.counts.started, all);
    let durations: u64 = work.durations.iter().map(|it| it.count).sum();
    assert_eq!(durations, all);
}
