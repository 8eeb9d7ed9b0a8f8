//! The defects of the Python original, each by its number in the list of what was measured.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use anypeer::monitor::{Limits, Monitor, OperationOutcome, OperationTarget};
use anypeer::peer::CloseReason;
use anypeer::{ConnectionState, OperationId, Outcome, PeerOptions, Peers};
use futures::future::join_all;

use super::{until, watched};
use crate::host::{BACKENDS, Host};
use crate::loopback::{Pair, open};

fn outcome(monitor: &Monitor, id: OperationId) -> OperationOutcome {
    let info = monitor.operation(id).expect("it is known by the id that the caller has");
    info.outcome.expect("it has ended")
}

#[test]
fn defect_1_success_is_not_reported_for_what_was_not_done() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let unknown = peers.close("nobody");
        let id = unknown.operation();
        assert_eq!(unknown.await, Outcome::NotFound);
        assert_eq!(outcome(&monitor, id), OperationOutcome::Failed(["not found".into()].into()));
        // The number that were closed, and not that of before.
        let _one = open(&peers, PeerOptions::new()).await.expect("opens");
        let (other, _) = open(&peers, PeerOptions::new()).await.expect("opens");
        assert!(other.close().await.is_closed());
        let all = peers.close_all();
        let id = all.operation();
        assert_eq!(all.await.closed(), 1);
        assert_eq!(
            outcome(&monitor, id),
            OperationOutcome::Completed(Some("1 of 1 closed".into()))
        );
    });
}

#[test]
fn defect_2_stopping_a_group_closes_that_group_and_an_unknown_one_is_not_found() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let in_group = |group: &str| PeerOptions::new().group(group);
        let _first = open(&peers, in_group("first").id("a")).await.expect("opens");
        let (second, _) = open(&peers, in_group("second").id("b")).await.expect("opens");
        let stopped = peers.close_group("first");
        let id = stopped.operation();
        assert_eq!(stopped.await.closed(), 1);
        let info = monitor.operation(id).expect("it is known");
        assert_eq!(
            (info.kind, info.target),
            ("close_group", OperationTarget::Group("first".into()))
        );
        assert_eq!(second.connection_state(), Some(ConnectionState::New), "expected it to be left");
        let unknown = peers.close_group("third");
        let id = unknown.operation();
        assert!(!unknown.await.found);
        assert_eq!(outcome(&monitor, id), OperationOutcome::Failed(["not found".into()].into()));
    });
}

/// An error with a source.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the codec is broken")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&fmt::Error)
    }
}

#[test]
fn defect_3_an_operation_has_one_end_whatever_its_result_is_and_also_if_it_is_cancelled() {
    let monitor = Monitor::new().expect("threads");
    // No result but a text, a number, nothing: all are completed.
    let text = monitor.new_operation("text").start();
    let id = text.id();
    text.complete_with("done");
    assert_eq!(outcome(&monitor, id), OperationOutcome::Completed(Some("done".into())));
    assert_eq!(futures::executor::block_on(monitor.new_operation("number").run(async { 7 })), 7);

    let failed = monitor.new_operation("encode").try_run(async { Err::<(), _>(Broken) });
    let id = failed.id().expect("it has started");
    futures::executor::block_on(failed).expect_err("it fails");
    let chain = [Box::from("the codec is broken"), fmt::Error.to_string().into()].into();
    assert_eq!(outcome(&monitor, id), OperationOutcome::Failed(chain), "expected the whole chain");

    let mut never = Box::pin(monitor.new_operation("wait").run(std::future::pending::<()>()));
    let id = never.id().expect("it has started");
    let _pending = futures::executor::block_on(async { futures::poll!(never.as_mut()) });
    drop(never);
    assert_eq!(
        outcome(&monitor, id),
        OperationOutcome::Cancelled,
        "expected a dropped future to be an end"
    );
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        monitor.new_operation("panic").call(|| panic!("deliberate"));
    }));
    assert!(panics.is_err());
    let counts = monitor.summary().operations;
    assert_eq!((counts.completed, counts.failed, counts.cancelled), (2, 1, 2));
    assert_eq!(counts.in_flight(), 0);
}

#[test]
fn defect_4_the_monitor_is_fed_without_the_application_doing_anything() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let (peer, _seen) = open(&peers, PeerOptions::new().id("a")).await.expect("opens");
        let first = monitor.connection("a").expect("expected it to be known from its opening");
        assert_eq!((first.state, first.end), (ConnectionState::New, None));
        let pair = Pair::open(&peers, PeerOptions::new().id("b"), PeerOptions::new()).await;
        let pair = pair.expect("connects");
        pair.channel.send(b"hello"[..].into()).await.expect("it is sent");
        let sent = |info: &anypeer::monitor::ConnectionInfo| {
            info.data_channels.iter().any(|channel| channel.messages_sent == 1)
        };
        let info = until(&monitor, "b", "sampled", sent).await;
        assert_eq!(info.state, ConnectionState::Connected);
        assert_eq!(&*info.data_channels[0].label, "data");
        drop(peer);
    });
}

#[test]
fn defect_5_every_operation_has_an_id_of_its_own_and_it_is_the_monitors() {
    let mut limits = Limits::default();
    limits.finished_operations = 2000;
    let monitor = Monitor::builder().limits(limits).build().expect("threads");
    let ids: HashSet<OperationId> = (0..1000)
        .map(|_| {
            let operation = monitor.new_operation("quick").start();
            let id = operation.id();
            operation.complete();
            id
        })
        .collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| monitor.operation(*id).is_some_and(|info| info.id == *id)));
    let one = ids.iter().next().expect("there are some");
    assert_eq!(one.to_string().parse(), Ok(*one), "expected its text to be an id again");
}

#[test]
fn defect_6_unknown_ids_leave_no_phantoms() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        for number in 0..3000 {
            assert_eq!(peers.close(format!("random-{number}")).await, Outcome::NotFound);
        }
        drop(peers.close_group("nobody's"));
        drop(peers.close_all());
        let summary = monitor.summary();
        assert_eq!(summary.states.total(), 0, "expected no connection to come of it");
        assert!(monitor.connections(0, 10).is_empty() && monitor.closed().is_empty());
        assert_eq!((summary.operations.failed, summary.operations.in_flight()), (3001, 0));
    });
}

#[test]
fn defect_7_states_are_counted_as_what_they_are() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let _new = open(&peers, PeerOptions::new()).await.expect("opens");
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new()).await;
        let pair = pair.expect("connects");
        pair.answerer_seen.connected.wait().await;
        while monitor.summary().states.connected < 2 {
            async_io::Timer::after(Duration::from_millis(1)).await;
        }
        let states = monitor.summary().states;
        assert_eq!((states.new, states.connected, states.closed), (1, 2, 0), "{states:?}");
        assert!(pair.offerer.close().await.is_closed());
        assert!(pair.answerer.close().await.is_closed());
        let states = monitor.summary().states;
        assert_eq!((states.new, states.connected, states.closed), (1, 0, 2), "{states:?}");
        assert_eq!(states.total(), 3, "expected the sum to be all");
    });
}

#[test]
fn defect_8_no_duration_is_taken_from_the_wall_clock() {
    // No test can set the clock of its host. Times that are shown come of one reading of the wall
    // clock, so they are in the order in which things happened, and as far apart.
    let monitor = Monitor::new().expect("threads");
    let first = monitor.new_operation("first").start();
    let id = first.id();
    std::thread::sleep(Duration::from_millis(20));
    first.complete();
    let info = monitor.operation(id).expect("it is known");
    assert!(info.duration >= Duration::from_millis(20), "{:?}", info.duration);
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/monitor")];
    let mut readings = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => {
                    let source = fs::read_to_string(&path).expect("it is text");
                    let count = source.matches("SystemTime::now()").count();
                    readings.extend(std::iter::repeat_n(path, count));
                }
            }
        }
    }
    assert_eq!(readings.len(), 1, "expected one reading of the wall clock: {readings:?}");
    assert!(readings[0].ends_with("clock.rs"), "{readings:?}");
}

#[test]
fn defect_9_everything_is_bounded() {
    let mut limits = Limits::default();
    limits.closed_connections = 3;
    limits.timeline = 5;
    limits.finished_operations = 4;
    limits.active_operations = 6;
    limits.names = 2;
    let monitor = Monitor::builder().limits(limits).build().expect("threads");
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    let watch = monitor.clone();
    host.in_task(async move {
        let opened = (0..6).map(|_| open(&peers, PeerOptions::new()));
        let opened: Vec<_> =
            join_all(opened).await.into_iter().map(|it| it.expect("opens")).collect();
        assert!(peers.close_all().await.all_closed());
        drop(opened);
        assert_eq!(watch.closed().len(), 3);
        let pair = Pair::open(&peers, PeerOptions::new().id("a"), PeerOptions::new()).await;
        drop(pair.expect("connects"));
        let info = watch.connection("a").expect("it is known");
        assert_eq!(info.timeline.len(), 5);
        assert!(info.timeline_dropped > 5, "{}", info.timeline_dropped);
        assert!(peers.shutdown().await.all_closed());
    });
    assert_eq!(monitor.finished_operations(None, 100, |_| true).items.len(), 4);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let under_way: Vec<_> = names.iter().map(|name| monitor.new_operation(name).start()).collect();
    assert_eq!(monitor.operations(None, 100).len(), 6, "expected more to be counted alone");
    drop(under_way);
    let metrics = monitor.metrics();
    assert_eq!(metrics.operations.len(), 3, "two names and the others: {:?}", metrics.operations);
    assert_eq!(monitor.summary().operations.in_flight(), 0);
}

#[test]
fn defect_12_a_summary_is_made_of_counters() {
    // Its cost is measured in `benches/monitor.rs`. Here: it has no list to go through, and says
    // the same as one that has.
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let opened = join_all((0..20).map(|_| open(&peers, PeerOptions::new()))).await;
        let live = monitor.connections(0, usize::MAX);
        assert_eq!(monitor.summary().states.new, live.len() as u64);
        let pages = [monitor.connections(0, 12), monitor.connections(live[11].number, 12)];
        let numbers: Vec<_> = pages.iter().flatten().map(|info| info.number).collect();
        let all: Vec<_> = live.iter().map(|info| info.number).collect();
        assert_eq!(numbers, all, "expected pages to be the whole, in the order of opening");
        drop(opened);
    });
}

#[test]
fn defect_13_what_is_seen_is_there_without_a_debug_mode() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let started = Instant::now();
        let (peer, _) = open(&peers, PeerOptions::new().id("a")).await.expect("opens");
        let info = monitor.connection("a").expect("it is known");
        assert!(info.age <= started.elapsed() && !info.timeline.is_empty());
        let mut closing = pin!(peer.close());
        assert!(closing.as_mut().await.is_closed());
        let end = monitor.connection("a").and_then(|info| info.end).expect("it has ended");
        assert_eq!(end.reason, CloseReason::Requested);
    });
}
