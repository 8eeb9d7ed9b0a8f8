//! Those that only peers show.

use std::pin::pin;
use std::time::Instant;

use anypeer::monitor::{Limits, Monitor, OperationOutcome, OperationTarget};
use anypeer::peer::CloseReason;
use anypeer::{ConnectionState, PeerOptions, Peers};
use futures::future::join_all;

use super::super::{until, watched};
use super::outcome;
use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::{Pair, open};
use crate::support::poll::until_in_task;

#[test]
fn defect_1_success_is_not_reported_for_what_was_not_done() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let unknown = peers.close("nobody");
        let id = unknown.operation();
        assert_eq!(unknown.await, anypeer::Outcome::NotFound);
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
fn defect_7_states_are_counted_as_what_they_are() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let _new = open(&peers, PeerOptions::new()).await.expect("opens");
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new()).await;
        let pair = pair.expect("connects");
        pair.answerer_seen.connected.wait().await;
        until_in_task("both to be connected", || monitor.summary().states.connected == 2).await;
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
fn defect_9_everything_is_bounded() {
    let limits = Limits::new()
        .closed_connections(3)
        .timeline(5)
        .finished_operations(4)
        .active_operations(6)
        .names(2);
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
