//! From an id to a peer, and what an id says of a peer that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anypeer::peer::{CloseMode, CloseReason, ConnectionError, ForceCause, Retention};
use anypeer::runtime::BoxFuture;
use anypeer::{Outcome, Peer, PeerOptions, Peers, peer};

use crate::support::fake::{Conduct, Fake};
use crate::support::panics::{DELIBERATE, hush};
use crate::support::poll::{block_on, until};

const BOUND: Duration = Duration::from_secs(5);

/// So many peers that have ended are remembered by their ids.
const REMEMBERED: usize = 1024;

fn insert(peers: &Peers, id: &str) -> (Peer, Arc<Fake>) {
    insert_as(peers, id, Fake::new())
}

fn insert_as(peers: &Peers, id: &str, fake: Fake) -> (Peer, Arc<Fake>) {
    let fake = Arc::new(fake);
    let peer = peers.insert(Arc::clone(&fake) as _, PeerOptions::new().id(id)).expect("inserted");
    (peer, fake)
}

fn ids(peers: &Peers) -> Vec<String> {
    let mut ids: Vec<_> = peers.all().iter().map(|peer| peer.id().as_str().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn an_id_leads_to_its_peer_and_what_is_found_owns_it() {
    let peers = Peers::new();
    let (peer, fake) = insert(&peers, "a");
    for unknown in ["b", "", "A", "a ", &"x".repeat(10_000)] {
        assert!(peers.get(unknown).is_none(), "expected nobody to be {unknown:?}");
    }
    let found = peers.get("a").expect("it is open");
    assert_eq!(found.id(), peer.id());
    drop(peer);
    assert_eq!((fake.closes(), peers.len()), (0, 1), "expected whoever found it to own it");
    drop(found);
    until("it to be closed with its last owner", || peers.is_empty());
    assert_eq!(fake.closes(), 1);
    assert!(peers.get("a").is_none(), "expected nobody to own it any more");
}

#[test]
fn all_leads_to_every_peer_that_somebody_owns() {
    let peers = Peers::new();
    assert!(peers.all().is_empty());
    let (_a, _) = insert(&peers, "a");
    let (b, _) = insert(&peers, "b");
    let (c, _) = insert(&peers, "c");
    b.detach();
    assert_eq!(ids(&peers), ["a", "b", "c"]);
    drop(c);
    until("the last owner's drop to close it", || peers.len() == 2);
    assert_eq!(ids(&peers), ["a", "b"]);
}

#[test]
fn a_detached_peer_is_found_by_its_id_and_by_weak_references_until_it_ends() {
    let peers = Peers::new();
    let (peer, fake) = insert(&peers, "a");
    let weak = peer.downgrade();
    peer.detach();
    for _ in 0..2 {
        let upgraded = weak.upgrade().expect("the set owns it");
        assert_eq!(upgraded.id().as_str(), "a");
        assert!(peers.get("a").is_some());
        drop(upgraded);
        assert_eq!(fake.closes(), 0, "expected the set to keep it open");
    }
    assert_eq!((weak.id().as_str(), weak.close_reason()), ("a", None));
    assert!(peers.close("a").wait(BOUND).expect("a plain thread may block").is_closed());
    assert!(weak.upgrade().is_none(), "expected nobody to own it");
    assert_eq!(block_on(weak.closed()), CloseReason::Requested);
    assert_eq!(weak.close_reason(), Some(CloseReason::Requested));
    assert_eq!(weak.id().as_str(), "a");
}

/// A connection that panics when it is asked what is held of it.
struct Secretive;

impl peer::Connection for Secretive {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(std::future::ready(Ok(Some(CloseMode::Graceful))))
    }

    fn retention(&self) -> Option<Arc<dyn Retention>> {
        panic!("{DELIBERATE}");
    }
}

#[test]
fn a_connection_that_panics_when_asked_what_is_held_is_closed_and_let_go_of() {
    hush();
    let peers = Peers::new();
    let secretive = Arc::new(Secretive);
    let peer = peers.insert(Arc::clone(&secretive) as _, PeerOptions::new()).expect("inserted");
    let (_other, _) = insert(&peers, "other");
    let weak = peer.downgrade();
    peer.detach();
    let closed = Ok(Outcome::Closed(CloseMode::Graceful));
    assert_eq!(peers.close(weak.id()).wait(BOUND), closed);
    assert!(weak.upgrade().is_none(), "expected the set to let go of it");
    until("nothing to keep the connection", || Arc::strong_count(&secretive) == 1);
    assert_eq!((peers.len(), peers.retained().len()), (1, 0));
    assert_eq!(peers.close("other").wait(BOUND), closed);
}

#[test]
fn a_weak_reference_hears_of_every_end() {
    let peers = Peers::new();
    let (dropped, _) = insert(&peers, "dropped");
    let (ended, fake) = insert(&peers, "ended");
    let (stuck, _) = insert_as(&peers, "stuck", Fake::that(Conduct::Fails));
    let weak = [&dropped, &ended, &stuck].map(Peer::downgrade);
    drop((dropped, stuck));
    fake.end(ForceCause::DriverEnded);
    let reasons = weak.each_ref().map(|weak| block_on(weak.closed()));
    // A close that fails leaves its peer open; nobody has it any more, and so it is over.
    assert_eq!(reasons, [CloseReason::Dropped, CloseReason::Ended, CloseReason::Dropped]);
}

#[test]
fn an_ended_peer_gives_the_same_outcome_by_its_id_and_by_its_handle() {
    let by_id = |peers: &Peers, id: &str| peers.close(id).wait(BOUND);
    let peers = Peers::new();
    let (closed, _) = insert(&peers, "closed");
    assert_eq!(by_id(&peers, "closed"), Ok(Outcome::Closed(CloseMode::Graceful)));
    assert_eq!(closed.close().wait(BOUND), Ok(Outcome::AlreadyClosed));
    assert_eq!(by_id(&peers, "closed"), Ok(Outcome::AlreadyClosed));
    drop(closed);
    assert_eq!(by_id(&peers, "closed"), Ok(Outcome::AlreadyClosed), "without its handle");

    // The first close of one that ended by itself says how it did.
    let forced = Outcome::Closed(CloseMode::Forced(ForceCause::DriverEnded));
    for first_by_id in [true, false] {
        let (ended, fake) = insert(&peers, "ended");
        fake.end(ForceCause::DriverEnded);
        block_on(ended.closed());
        let (mut first, mut second) = match first_by_id {
            true => (peers.close("ended"), ended.close()),
            false => (ended.close(), peers.close("ended")),
        };
        // The second one joins the first, or comes after it.
        let (first, second) = (first.wait(BOUND).unwrap(), second.wait(BOUND).unwrap());
        assert_eq!(first, forced);
        assert!(second == forced || second == Outcome::AlreadyClosed, "{second:?}");
        assert_eq!(by_id(&peers, "ended"), ended.close().wait(BOUND));
    }

    let (dropped, _) = insert(&peers, "dropped");
    drop(dropped);
    until("its drop to close it", || by_id(&peers, "dropped") == Ok(Outcome::AlreadyClosed));
    let (detached, fake) = insert(&peers, "detached");
    detached.detach();
    fake.end(ForceCause::DriverEnded);
    until("the set to let it go", || by_id(&peers, "detached") == Ok(Outcome::AlreadyClosed));
    assert_eq!(by_id(&peers, "never"), Ok(Outcome::NotFound));
}

#[test]
fn an_end_that_was_not_seen_stays_unconfirmed_for_whoever_asks() {
    let peers = Peers::new();
    let (adopted, fake) = insert_as(&peers, "adopted", Fake::that(Conduct::ClosesUnseen));
    for _ in 0..2 {
        assert_eq!(adopted.close().wait(BOUND), Ok(Outcome::Unconfirmed), "by its handle");
        assert_eq!(peers.close("adopted").wait(BOUND), Ok(Outcome::Unconfirmed), "by its id");
    }
    assert_eq!(fake.closes(), 1, "expected it to be closed once");
    drop(adopted);
    assert_eq!(peers.close("adopted").wait(BOUND), Ok(Outcome::Unconfirmed), "without its handle");
}

#[test]
fn an_id_that_nobody_ended_by_is_not_found() {
    let peers = Peers::new();
    let close = |id: &str| peers.close(id).wait(BOUND);
    let (stuck, fake) = insert_as(&peers, "stuck", Fake::that(Conduct::Fails));
    drop(stuck);
    until("nothing to be left of it", || Arc::strong_count(&fake) == 1);
    assert_eq!(close("stuck"), Ok(Outcome::NotFound), "expected no close to have succeeded");

    let (closed, _) = insert(&peers, "again");
    assert!(closed.close().wait(BOUND).is_ok_and(|outcome| outcome.is_closed()));
    for handle in [Some(closed), None] {
        let reservation = peers.reserve(PeerOptions::new().id("again")).expect("it has ended");
        assert_eq!(close("again"), Ok(Outcome::NotFound), "expected the id to be the next peer's");
        drop(reservation);
        assert_eq!(close("again"), Ok(Outcome::AlreadyClosed));
        drop(handle);
    }
}

#[test]
fn the_last_1024_ids_are_remembered_and_those_whose_handles_somebody_has() {
    let peers = Peers::new();
    let (handle, _) = insert(&peers, "handle");
    assert!(handle.close().wait(BOUND).unwrap().is_closed());
    for number in 0..=REMEMBERED {
        let id = number.to_string();
        let last_reference = Arc::new(());
        let options = PeerOptions::new().id(id.as_str()).data(Arc::clone(&last_reference));
        peers.insert(Arc::new(Fake::new()), options).expect("inserted").detach();
        assert!(peers.close(id).wait(BOUND).unwrap().is_closed());
        // Whoever closed it may hold it a moment longer, and then it is not remembered yet.
        until("nobody to hold it", || Arc::strong_count(&last_reference) == 1);
    }
    assert!(!peers.close("0").found(), "expected the oldest to be forgotten");
    for number in [1, REMEMBERED / 2, REMEMBERED] {
        let mut closing = peers.close(number.to_string());
        assert!(closing.found(), "expected {number} to be remembered");
        assert_eq!(closing.wait(BOUND), Ok(Outcome::AlreadyClosed));
    }
    assert_eq!(peers.close("handle").wait(BOUND), Ok(Outcome::AlreadyClosed));
    drop(handle);
    assert_eq!(peers.close("handle").wait(BOUND), Ok(Outcome::AlreadyClosed), "as the newest");
    assert!(!peers.close("1").found(), "expected it to have taken the place of the oldest");

    // An id that is used again is the new peer's.
    let (again, fake) = insert(&peers, "2");
    assert_eq!(peers.close("2").wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
    assert_eq!((fake.closes(), again.close_reason()), (1, Some(CloseReason::Requested)));
}

#[test]
fn a_close_says_at_once_whether_there_is_anything_to_close() {
    let peers = Peers::new();
    let (peer, fake) = insert_as(&peers, "a", Fake::that(Conduct::ClosesLate));
    assert!(!peers.close("b").found());
    assert!(!peers.abort("b").found());
    let mut closing = peers.close("a");
    assert!(closing.found(), "expected it to be known while the close goes on");
    assert!(peers.close("a").found() && peer.close().found(), "and by whoever joins it");
    fake.release();
    assert_eq!(closing.wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
    assert!(closing.found() && peers.close("a").found() && peers.abort("a").found());
}

/// What an application may know of a peer.
struct Session {
    user: &'static str,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn what_the_application_knows_of_a_peer_is_found_with_it_and_goes_with_it() {
    let (peers, dropped) = (Peers::new(), Arc::new(AtomicUsize::new(0)));
    let session = Session { user: "alice", dropped: Arc::clone(&dropped) };
    let options = PeerOptions::new().id("a").data(session);
    peers.insert(Arc::new(Fake::new()), options).expect("inserted").detach();
    let found = peers.get("a").expect("it is open");
    assert_eq!(found.data::<Session>().map(|session| session.user), Some("alice"));
    assert!(found.data::<String>().is_none(), "expected it not to be something else");
    let weak = found.downgrade();
    let upgraded = weak.upgrade().expect("the set owns it");
    assert_eq!(upgraded.data::<Session>().map(|session| session.user), Some("alice"));
    assert!(found.close().wait(BOUND).unwrap().is_closed());
    assert!(found.data::<Session>().is_some(), "expected it to be there for who has the peer");
    assert_eq!(dropped.load(Ordering::Acquire), 0);
    drop((found, upgraded));
    until("it to be dropped with the last reference", || dropped.load(Ordering::Acquire) == 1);
    assert!(weak.upgrade().is_none());

    let bare = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).expect("inserted");
    assert!(bare.data::<Session>().is_none());
}

#[cfg(feature = "webrtc")]
mod of_webrtc {
    use anypeer::webrtc::{self, NotWebrtc};

    use super::*;
    use crate::support::host::on_all_at_once;
    use crate::support::loopback::open;

    #[test]
    fn a_peer_of_another_stack_is_not_found_as_one_of_webrtc_and_given_back() {
        let peers = Peers::new();
        let (peer, fake) = insert(&peers, "other");
        assert!(webrtc::get(&peers, "other").is_none() && webrtc::get(&peers, "none").is_none());
        let NotWebrtc(given_back) = webrtc::Peer::try_from(peer).expect_err("it is no such peer");
        let refused = NotWebrtc(given_back).to_string();
        assert!(refused.contains("other"), "expected it to be named: {refused:?}");
        until("it to be closed with its owner", || fake.closes() == 1);
    }

    #[test]
    fn a_detached_peer_can_be_called_by_whoever_finds_it() {
        on_all_at_once(|backend, host| {
            let peers = Peers::builder().runtime(host.runtime()).build();
            host.in_task(async move {
                let (peer, _) = open(&peers, PeerOptions::new().id("a")).await.expect("opens");
                let weak = peer.downgrade();
                peer.detach();
                let found = webrtc::get(&peers, "a").expect("the set owns it");
                found.create_data_channel("found", None).await.expect("it can be called");
                drop(found);
                let upgraded = weak.upgrade().expect("the set owns it");
                upgraded.create_offer(None).await.expect("it can be called");
                drop(upgraded);
                assert_eq!(weak.id().as_str(), "a");
                assert_eq!((peers.len(), weak.close_reason()), (1, None), "on {backend:?}");
                let erased = peers.get("a").expect("the set owns it");
                let typed = webrtc::Peer::try_from(erased).expect("it is one of webrtc");
                assert_eq!(typed.close().await, Outcome::Closed(CloseMode::Graceful));
                drop(typed);
                assert!(weak.upgrade().is_none() && webrtc::get(&peers, "a").is_none());
                assert_eq!(weak.closed().await, CloseReason::Requested, "on {backend:?}");
            });
        });
    }
}
