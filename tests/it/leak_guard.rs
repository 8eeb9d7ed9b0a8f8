//! The guard for users' own tests.

use std::time::Duration;

use anypeer::task::TaskGroup;
use anypeer::test_util::LeakGuard;
use anypeer::{PeerOptions, Peers};

use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::open;
use crate::support::panics::caught;
use crate::support::process;

const SOON: Duration = Duration::from_millis(50);

/// What the guard's panic says.
fn failure(guard: LeakGuard) -> String {
    caught(|| drop(guard)).expect("expected the guard to fail")
}

#[test]
fn a_guard_names_the_peers_sockets_and_tasks_that_are_left() {
    match process::run("leak_guard::child", "names", Duration::from_secs(60)) {
        Ok(saw) => println!("{saw}"),
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
#[ignore = "looks at its whole process, and is run in one of its own"]
fn child() {
    process::task();
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).build();
    let before = TaskGroup::new(host.runtime()).expect("threads");
    before.spawn("before", std::future::pending::<()>());
    let (set, process) =
        (LeakGuard::of(&peers).patience(SOON), LeakGuard::process().patience(SOON));
    let opening = peers.clone();
    let (peer, _) = host
        .in_task(async move { open(&opening, PeerOptions::new().id("lost").group("room")).await })
        .expect("opens");
    peer.tasks().spawn("pump", std::future::pending::<()>());
    drop(peers.tasks().expect("threads").spawn("sweep", std::future::pending::<()>()));
    let free = TaskGroup::new(host.runtime()).expect("threads");
    drop(free.spawn("free", std::future::pending::<()>()));
    drop(free.track(std::future::pending::<()>()));
    let gone = TaskGroup::new(host.runtime()).expect("threads");
    let (end, ended) = futures::channel::oneshot::channel::<()>();
    drop(gone.track(ended));
    drop(gone);

    let leaks = set.leaks();
    assert_eq!(leaks.peers.len(), 1, "{leaks}");
    assert_eq!(leaks.peers[0].sockets.len(), 1, "expected its socket to be named: {leaks}");
    let socket = leaks.peers[0].sockets[0];
    let said = failure(set);
    for name in ["peer lost of group room, new", &socket.to_string(), "\"pump\"", "\"sweep\""] {
        assert!(said.contains(name), "expected {name:?} to be named: {said}");
    }
    assert!(!said.contains("\"free\""), "expected one set's only: {said}");
    let said = failure(process);
    for name in ["peer lost", "\"pump\"", "\"sweep\"", "\"free\"", "2 tasks that were only"] {
        assert!(said.contains(name), "expected {name:?} to be named: {said}");
    }
    assert!(!said.contains("\"before\""), "expected what was there before not to count: {said}");

    // Everything goes; what is on its way out is waited for.
    let (set, process) = (LeakGuard::of(&peers), LeakGuard::process());
    drop((peer, free, end));
    drop(peers);
    drop((set, process));
    process::report(&said.replace('\n', "; "));
}

#[test]
fn a_guard_is_content_with_what_is_closed_and_can_be_awaited() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        host.in_task(async move {
            let guard = LeakGuard::of(&peers);
            let (peer, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            peer.tasks().spawn("pump", std::future::pending::<()>());
            drop(peer);
            guard.finish().await;
        });
    }
}
