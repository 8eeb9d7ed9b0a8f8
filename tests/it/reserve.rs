//! A place for a peer whose connection is still to be made.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::peer::{
    CloseMode, CloseReason, Connection, ConnectionError, EndNotice, ForceCause, InsertError,
};
use anypeer::runtime::{BoxFuture, Runtime};
use anypeer::{Event, EventKind, GroupId, Observer, Outcome, PeerOptions, Peers};
use futures::future::poll_immediate;

use crate::support::fake::Fake;
use crate::support::flag::Flag;
use crate::support::poll::block_on;

const BOUND: Duration = Duration::from_secs(5);

/// Writes down which peers were opened and closed.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let what = match event.kind {
            EventKind::Opened { .. } => "opened",
            EventKind::Closed { .. } => "closed",
            EventKind::OperationStarted { .. } | EventKind::OperationEnded { .. } => return,
            _ => "other",
        };
        let peer = event.peer.map_or("-", |peer| peer.as_str());
        self.0.lock().unwrap().push(format!("{peer} {what}"));
    }
}

#[test]
fn a_reservation_takes_a_place_and_gives_it_back_when_it_is_dropped() {
    let peers = Peers::builder().max_peers(2).max_peers_per_group(1).build();
    let options = || PeerOptions::new().id("a").group("room");
    let first = peers.reserve(options()).expect("there is room");
    assert_eq!(first.id().as_str(), "a");
    assert_eq!(first.group().map(GroupId::as_str), Some("room"));
    assert_eq!((peers.len(), peers.is_empty()), (1, false), "expected it to count");
    assert!(peers.ids().is_empty() && peers.all().is_empty(), "expected it to be no peer yet");
    match peers.reserve(PeerOptions::new().id("a")) {
        Err(InsertError::Duplicate(id)) => assert_eq!(id.as_str(), "a"),
        other => panic!("expected the id to be taken: {other:?}"),
    }
    let of_group = peers.insert(Arc::new(Fake::new()), PeerOptions::new().group("room"));
    assert!(matches!(of_group, Err(InsertError::GroupFull { limit: 1, .. })), "{of_group:?}");
    let second = peers.reserve(PeerOptions::new()).expect("there is room");
    let third = peers.reserve(PeerOptions::new());
    assert!(matches!(third, Err(InsertError::Full { limit: 2 })), "{third:?}");

    let mut idle = Box::pin(peers.idle());
    assert!(block_on(poll_immediate(&mut idle)).is_none());
    drop((first, second));
    block_on(idle);
    assert!(peers.is_empty());
    let again = peers.reserve(options()).expect("everything is free again");
    assert_eq!(again.id().as_str(), "a");
}

#[test]
fn a_filled_reservation_is_a_peer_with_what_was_reserved() {
    let log = Arc::new(Log::default());
    let peers = Peers::builder().observer(Arc::clone(&log) as _).build();
    let background = Runtime::background().expect("a thread");
    let options = PeerOptions::new().id("a").group("room").runtime(background).data("alice");
    let reservation = peers.reserve(options).expect("there is room");
    assert_eq!(reservation.runtime().name(), "background");
    let weak = reservation.peer();
    assert_eq!(weak.id().as_str(), "a");
    assert!(weak.upgrade().is_none() && peers.get("a").is_none(), "expected no peer yet");
    assert!(log.0.lock().unwrap().is_empty(), "expected nothing to be told yet");

    let fake = Arc::new(Fake::new());
    let peer = reservation.insert(Arc::clone(&fake) as _).expect("it is reserved");
    assert_eq!((peer.id().as_str(), peer.data::<&str>()), ("a", Some(&"alice")));
    assert_eq!(peer.group().map(GroupId::as_str), Some("room"));
    assert_eq!(weak.upgrade().expect("it is open").id(), peer.id());
    assert!(peers.get("a").is_some());
    assert_eq!(peers.len(), 1, "expected it to count once");
    assert_eq!(*log.0.lock().unwrap(), ["a opened"]);
    drop(peer);
    assert_eq!(block_on(weak.closed()), CloseReason::Dropped);
    assert_eq!((fake.closes(), peers.len()), (1, 0));
}

#[test]
fn of_a_cancelled_reservation_nothing_is_left_but_its_weak_references_hear_of_it() {
    let log = Arc::new(Log::default());
    let peers = Peers::builder().observer(Arc::clone(&log) as _).build();
    let data = Arc::new("alice");
    let options = PeerOptions::new().id("a").data(Arc::clone(&data));
    let reservation = peers.reserve(options).expect("there is room");
    let weak = reservation.peer();
    let mut closed = Box::pin(weak.closed());
    assert!(block_on(poll_immediate(&mut closed)).is_none());
    drop(reservation);
    assert_eq!(block_on(closed), CloseReason::OpenCancelled);
    assert_eq!(weak.close_reason(), Some(CloseReason::OpenCancelled));
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&data), 1, "expected the application's data to be dropped");
    assert_eq!(peers.close("a").wait(BOUND), Ok(Outcome::NotFound), "expected no peer to be known");
    let told = log.0.lock().unwrap();
    assert!(told.is_empty(), "expected nothing to be told of a peer that never was: {told:?}");
}

#[test]
fn a_cancelled_reservation_leaves_what_was_known_of_its_id() {
    let peers = Peers::new();
    let reserve = || peers.reserve(PeerOptions::new().id("a")).expect("nobody open has the id");
    let close = || peers.close("a").wait(BOUND);
    let peer = peers.insert(Arc::new(Fake::new()), PeerOptions::new().id("a")).expect("inserted");
    assert!(close().is_ok_and(|outcome| outcome.is_closed()));
    drop(reserve());
    assert_eq!(close(), Ok(Outcome::AlreadyClosed), "with a handle of the last peer");
    let reservation = reserve();
    drop(peer);
    drop(reservation);
    assert_eq!(close(), Ok(Outcome::AlreadyClosed), "of one whose handle was dropped meanwhile");
    drop(reserve());
    assert_eq!(close(), Ok(Outcome::AlreadyClosed), "of one of which nobody had a handle");
}

#[test]
fn an_open_of_another_stack_leaves_nothing_when_it_is_cancelled() {
    let peers = Peers::new();
    let fake = Arc::new(Fake::new());
    let parts = Arc::clone(&fake);
    let mut opening = Box::pin(async {
        let reservation = peers.reserve(PeerOptions::new().id("a"))?;
        // As a connection that waits for its answer.
        std::future::pending::<()>().await;
        reservation.insert(parts)
    });
    assert!(block_on(poll_immediate(&mut opening)).is_none());
    assert_eq!(peers.len(), 1);
    drop(opening);
    assert!(peers.is_empty() && peers.get("a").is_none());
    assert_eq!(Arc::strong_count(&fake), 1, "expected the connection's parts to be dropped");
}

#[test]
fn a_set_that_was_shut_down_meanwhile_refuses_the_connection_untouched() {
    let peers = Peers::new();
    let reservation = peers.reserve(PeerOptions::new()).expect("there is room");
    let weak = reservation.peer();
    let report = peers.shutdown().wait(BOUND).expect("a plain thread may block");
    assert!(report.peers.is_empty(), "expected no peer to be there to close: {report}");
    assert_eq!(peers.len(), 1, "expected the place to be kept until it is given back");
    refused(&peers, reservation, &weak);

    // Its last handle's drop shuts a set down too.
    let peers = Peers::new();
    let reservation = peers.reserve(PeerOptions::new()).expect("there is room");
    let weak = reservation.peer();
    drop(peers);
    let fake = Arc::new(Fake::new());
    let inserted = reservation.insert(Arc::clone(&fake) as _);
    assert!(matches!(inserted, Err(InsertError::ShutDown)), "{inserted:?}");
    assert_eq!(block_on(weak.closed()), CloseReason::OpenCancelled);
}

fn refused(peers: &Peers, reservation: anypeer::peer::Reservation, weak: &anypeer::WeakPeer) {
    let fake = Arc::new(Fake::new());
    let inserted = reservation.insert(Arc::clone(&fake) as _);
    assert!(matches!(inserted, Err(InsertError::ShutDown)), "{inserted:?}");
    assert_eq!((fake.closes(), fake.aborts()), (0, 0), "expected nothing to be called");
    assert_eq!(Arc::strong_count(&fake), 1, "expected the connection to be dropped");
    assert_eq!(block_on(weak.closed()), CloseReason::OpenCancelled);
    block_on(peers.idle());
}

/// Asks the set about everything at each event.
#[derive(Default)]
struct AsksForAll(Mutex<Option<Peers>>);

impl Observer for AsksForAll {
    fn on_event(&self, event: &Event<'_>) {
        let peers = self.0.lock().unwrap().clone();
        if let Some(peers) = peers {
            let _answers = (peers.len(), peers.ids(), peers.all().len(), peers.retained());
            drop(event.peer.map(|peer| peers.get(peer)));
        }
    }
}

/// A connection that has ended, and is not done yet with telling its application.
#[derive(Default)]
struct Telling {
    told: Flag,
    notice: Mutex<Option<EndNotice>>,
}

impl Connection for Telling {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(std::future::ready(Ok(Some(CloseMode::Graceful))))
    }

    fn watch_end(&self, notice: EndNotice) {
        *self.notice.lock().unwrap() = Some(notice);
    }

    fn release(self: Arc<Self>) -> BoxFuture {
        Box::pin(async move { self.told.wait().await })
    }
}

#[test]
fn an_owner_that_the_set_lets_go_of_may_be_heard_by_who_asks_the_set() {
    let done = Arc::new(Flag::default());
    let raised = Arc::clone(&done);
    // On a thread of its own: what is forbidden here would never end.
    std::thread::spawn(move || {
        let asks = Arc::new(AsksForAll::default());
        let peers = Peers::builder().observer(Arc::clone(&asks) as _).build();
        *asks.0.lock().unwrap() = Some(peers.clone());
        let insert = |connection: Arc<dyn Connection>| {
            let options = PeerOptions::new().id("a");
            peers.insert(connection, options).expect("nobody open has the id").detach();
        };
        // An owner is let go of when its peer is closed, and when its id is taken again.
        insert(Arc::new(Fake::new()));
        assert!(block_on(peers.close("a")).is_closed());
        let telling = Arc::new(Telling::default());
        insert(Arc::clone(&telling) as _);
        let notice = telling.notice.lock().unwrap().take().expect("it was registered");
        notice.ended(ForceCause::DriverEnded);
        insert(Arc::new(Fake::new()));
        telling.told.raise();
        assert!(block_on(peers.close("a")).is_closed());
        // And what was never taken in is dropped by the one who brought it.
        let reservation = peers.reserve(PeerOptions::new()).expect("there is room");
        block_on(peers.shutdown());
        assert!(reservation.insert(Arc::new(AsksWhenDropped(peers.clone()))).is_err());
        asks.0.lock().unwrap().take();
        raised.raise();
    });
    block_on(done.wait());
}

/// A connection whose drop asks the set.
struct AsksWhenDropped(Peers);

impl Connection for AsksWhenDropped {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(std::future::pending())
    }
}

impl Drop for AsksWhenDropped {
    fn drop(&mut self) {
        let _answer = self.0.len();
    }
}

#[test]
fn a_place_that_was_reserved_before_a_set_drains_can_be_filled() {
    let peers = Peers::new();
    let reservation = peers.reserve(PeerOptions::new().id("a")).expect("there is room");
    peers.drain();
    assert!(matches!(peers.reserve(PeerOptions::new()), Err(InsertError::Draining)));
    let peer = reservation.insert(Arc::new(Fake::new())).expect("it was reserved");
    assert_eq!(peers.ids(), [peer.id().clone()]);
}
