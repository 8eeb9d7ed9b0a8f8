//! Under every order that the threads can take.

#![cfg(anypeer_loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anypeer::peer::{
    CloseReason, CloseMode, Connection, ConnectionError, EndNotice, ForceCause, InsertError,
    ReaperOptions,
};
use anypeer::runtime::{BoxFuture, Spawner};
use anypeer::task::TaskGroup;
use anypeer::{Event, EventKind, Observer, Outcome, Peer, PeerOptions, Peers};
use loom::future::block_on;
use loom::thread;

/// A thread of loom's for each task.
#[derive(Debug)]
struct Threads;

impl Spawner for Threads {
    fn spawn(&self, task: BoxFuture) {
        thread::spawn(|| block_on(task));
    }
}

/// A connection that closes when it is told to, and counts how often that is.
#[derive(Default)]
struct Quick {
    closes: AtomicUsize,
    notice: std::sync::Mutex<Option<EndNotice>>,
}

impl Connection for Quick {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        self.closes.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(Some(CloseMode::Graceful))))
    }

    fn is_cooperative(&self) -> bool {
        true
    }

    fn watch_end(&self, notice: EndNotice) {
        *self.notice.lock().unwrap() = Some(notice);
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Told {
    started: AtomicUsize,
    closed: AtomicUsize,
}

impl Observer for Told {
    fn on_event(&self, event: &Event<'_>) {
        match event.kind {
            EventKind::CloseStarted { .. } => self.started.fetch_add(1, Ordering::SeqCst),
            EventKind::Closed { .. } => self.closed.fetch_add(1, Ordering::SeqCst),
            _ => 0,
        };
    }
}

fn set() -> (Peers, Arc<Told>) {
    let told = Arc::new(Told::default());
    let peers = Peers::builder()
        .runtime(Threads)
        .observer(Arc::clone(&told) as _)
        .reaper(ReaperOptions::off());
    (peers.build(), told)
}

fn insert(peers: &Peers) -> (Peer, Arc<Quick>) {
    let connection = Arc::new(Quick::default());
    let peer = peers.insert(Arc::clone(&connection) as _, PeerOptions::new().id("one"));
    (peer.expect("inserted"), connection)
}

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    // Most errors need no more than two (loom's documentation). `LOOM_MAX_PREEMPTIONS` sets more.
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(test);
}

#[test]
fn two_closes_are_one() {
    model(|| {
        let (peers, told) = set();
        let (peer, connection) = insert(&peers);
        let other = peer.clone();
        let thread = thread::spawn(move || block_on(other.close()));
        let outcomes = [block_on(peer.close()), thread.join().unwrap()];
        assert_eq!(connection.closes.load(Ordering::SeqCst), 1, "{outcomes:?}");
        assert_eq!(told.started.load(Ordering::SeqCst), 1, "{outcomes:?}");
        assert_eq!(told.closed.load(Ordering::SeqCst), 1, "{outcomes:?}");
        assert!(outcomes.contains(&Outcome::Closed(CloseMode::Graceful)), "{outcomes:?}");
        assert!(outcomes.iter().all(Outcome::is_closed), "{outcomes:?}");
        assert_eq!(peers.len(), 0);
    });
}

#[test]
fn a_close_that_races_the_end_by_itself_is_told_once() {
    model(|| {
        let (peers, told) = set();
        let (peer, connection) = insert(&peers);
        let notice = connection.notice.lock().unwrap().take().expect("it was given");
        let thread = thread::spawn(move || notice.ended(ForceCause::DriverEnded));
        let outcome = block_on(peer.close());
        thread.join().unwrap();
        let reason = block_on(peer.closed());
        assert!(outcome.is_closed(), "{outcome:?}");
        assert!(matches!(reason, CloseReason::Requested | CloseReason::Ended), "{reason:?}");
        assert_eq!(told.closed.load(Ordering::SeqCst), 1, "{outcome:?}, {reason:?}");
        assert_eq!(peers.len(), 0);
    });
}

#[test]
fn the_last_of_two_owners_closes_and_only_it() {
    model(|| {
        let (peers, told) = set();
        let (peer, connection) = insert(&peers);
        let (other, weak) = (peer.clone(), peer.downgrade());
        let thread = thread::spawn(move || drop(other));
        drop(peer);
        thread.join().unwrap();
        assert!(weak.upgrade().is_none());
        assert_eq!(told.started.load(Ordering::SeqCst), 1, "expected one close");
        block_on(peers.idle());
        assert_eq!(connection.closes.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_peer_that_is_detached_while_its_set_goes_is_closed_all_the_same() {
    model(|| {
        let (peers, told) = set();
        let (peer, connection) = insert(&peers);
        let thread = thread::spawn(move || peer.detach());
        drop(peers);
        thread.join().unwrap();
        assert_eq!(told.started.load(Ordering::SeqCst), 1, "expected it not to be lost");
        assert!(connection.closes.load(Ordering::SeqCst) <= 1);
    });
}

#[test]
fn a_detached_peer_is_kept_while_another_owner_is_dropped() {
    model(|| {
        let (peers, told) = set();
        let (peer, _connection) = insert(&peers);
        let other = peer.clone();
        let thread = thread::spawn(move || peer.detach());
        drop(other);
        thread.join().unwrap();
        assert_eq!(told.started.load(Ordering::SeqCst), 0, "expected nobody to close it");
        assert_eq!(peers.len(), 1);
        assert!(block_on(peers.close("one")).is_closed());
    });
}

#[test]
fn a_peer_that_races_a_shutdown_is_refused_or_closed() {
    model(|| {
        let (peers, told) = set();
        let other = peers.clone();
        let thread = thread::spawn(move || {
            other.insert(Arc::new(Quick::default()), PeerOptions::new().id("one"))
        });
        let report = block_on(peers.shutdown());
        let inserted = thread.join().unwrap();
        match &inserted {
            Ok(peer) => {
                assert_eq!(report.peers.len(), 1, "expected it to be closed: {report}");
                assert!(peer.close_reason().is_some(), "{report}");
                assert_eq!(told.closed.load(Ordering::SeqCst), 1);
            }
            Err(InsertError::ShutDown) => assert_eq!(report.peers.len(), 0, "{report}"),
            Err(other) => panic!("expected it to be taken or refused: {other}"),
        }
        assert_eq!(peers.len(), 0);
    });
}

#[test]
fn two_peers_of_one_id_are_never_both_taken_and_the_numbers_are_right() {
    model(|| {
        let (peers, _told) = set();
        let other = peers.clone();
        let id = || PeerOptions::new().id("one");
        let thread = thread::spawn(move || other.insert(Arc::new(Quick::default()), id()));
        let ours = peers.insert(Arc::new(Quick::default()), id());
        let theirs = thread.join().unwrap();
        let duplicate =
            |it: &Result<Peer, InsertError>| matches!(it, Err(InsertError::Duplicate(_)));
        assert!(duplicate(&ours) != duplicate(&theirs), "{ours:?}, {theirs:?}");
        assert_eq!(peers.len(), 1);
        let peer = ours.or(theirs).expect("one of them");
        assert!(block_on(peer.close()).is_closed());
        assert_eq!(peers.len(), 0);
    });
}

#[test]
fn a_task_group_that_is_made_while_its_peer_is_closed_is_cancelled() {
    model(|| {
        let (peers, _told) = set();
        let (peer, _connection) = insert(&peers);
        let other = peer.clone();
        let thread = thread::spawn(move || other.tasks().clone());
        drop(peer.close());
        let tasks = thread.join().unwrap();
        assert!(tasks.token().is_cancelled(), "expected no task to outlive the close");
        block_on(peers.idle());
    });
}

#[test]
fn who_waits_for_a_group_to_be_idle_is_woken_by_the_end_of_its_last_counted_task() {
    model(|| {
        let group = TaskGroup::new(Threads).expect("nothing to start");
        drop(group.track(async {}));
        block_on(group.idle());
        assert_eq!(group.len(), 0);
    });
}

#[test]
fn a_counted_task_and_its_group_may_go_in_any_order() {
    model(|| {
        let group = TaskGroup::new(Threads).expect("nothing to start");
        let ended = group.track(async { 1 });
        drop(group);
        assert_eq!(block_on(ended), Ok(1));
    });
}
