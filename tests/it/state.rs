//! Waiting for a state of a connection that tells of its changes, and of one that does not.

use std::sync::Arc;
use std::time::Duration;

use anypeer::ConnectionState::{Closed, Connected, Connecting, Disconnected, Failed, New};
use anypeer::peer::{CloseMode, CloseReason, ForceCause};
use anypeer::{Peer, PeerOptions, Peers};
use futures::future::{join_all, poll_immediate};

use crate::support::fake::Fake;
use crate::support::poll::block_on;

const BOUND: Duration = Duration::from_secs(5);

/// Two connections that are New: one tells of its changes, and one does not.
fn both() -> [Fake; 2] {
    [Fake::new().state(New).tells_changes(), Fake::new().state(New)]
}

fn insert(peers: &Peers, fake: Fake) -> (Peer, Arc<Fake>) {
    let fake = Arc::new(fake);
    let peer = peers.insert(Arc::clone(&fake) as _, PeerOptions::new()).expect("inserted");
    (peer, fake)
}

#[test]
fn a_state_is_waited_for_whether_the_connection_tells_of_changes_or_not() {
    let peers = Peers::new();
    for fake in both() {
        let (peer, fake) = insert(&peers, fake);
        let mut connected = Box::pin(peer.connected());
        let mut failed = Box::pin(peer.wait_for(Failed));
        assert!(block_on(poll_immediate(&mut connected)).is_none());
        assert!(block_on(poll_immediate(&mut failed)).is_none());
        fake.set_state(Connecting);
        let connects = Arc::clone(&fake);
        let elsewhere = std::thread::spawn(move || connects.set_state(Connected));
        assert_eq!(block_on(connected), Ok(()));
        elsewhere.join().expect("it only sets a state");
        assert_eq!(block_on(peer.connected()), Ok(()), "at once");
        assert!(block_on(poll_immediate(&mut failed)).is_none(), "expected only what is so");
        fake.set_state(Failed);
        assert_eq!(block_on(failed), Ok(()));
    }
}

#[test]
fn a_connection_that_lets_go_of_its_notice_is_asked_from_then_on() {
    let peers = Peers::new();
    let (peer, fake) = insert(&peers, Fake::new().state(New).tells_changes());
    let mut connected = Box::pin(peer.connected());
    assert!(block_on(poll_immediate(&mut connected)).is_none());
    fake.forget_changes();
    assert_eq!(peer.connection_state(), Some(New), "expected it to be open as it was");
    fake.set_state(Connected);
    assert_eq!(block_on(connected), Ok(()), "whoever was waiting");
    let mut failed = Box::pin(peer.wait_for(Failed));
    assert!(block_on(poll_immediate(&mut failed)).is_none());
    fake.set_state(Failed);
    assert_eq!(block_on(failed), Ok(()), "and whoever waits from then on");

    // One that keeps it beyond the end of its peer.
    let (peer, fake) = insert(&peers, Fake::new().state(New).tells_changes());
    assert!(peer.close().wait(BOUND).is_ok_and(|outcome| outcome.is_closed()));
    drop(peer);
    fake.forget_changes();
}

#[test]
fn everybody_who_waits_is_woken_by_one_change() {
    let peers = Peers::new();
    for fake in both() {
        let (peer, fake) = insert(&peers, fake);
        let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(peer.wait_for(Disconnected))).collect();
        assert!(block_on(poll_immediate(join_all(&mut waiting))).is_none());
        fake.set_state(Disconnected);
        assert_eq!(block_on(join_all(waiting)), [const { Ok(()) }; 10]);
    }
}

#[test]
fn whoever_waits_hears_of_the_end_that_comes_before() {
    let peers = Peers::new();
    for fake in both() {
        let (peer, _) = insert(&peers, fake);
        let mut connected = Box::pin(peer.connected());
        assert!(block_on(poll_immediate(&mut connected)).is_none());
        assert!(peer.close().wait(BOUND).unwrap().is_closed());
        let ended = block_on(connected).expect_err("it never connected");
        assert_eq!(
            (ended.reason, &ended.mode),
            (CloseReason::Requested, &Some(CloseMode::Graceful))
        );
        let text = ended.to_string();
        assert!(text.starts_with("the peer has ended"), "{text:?}");
        assert_eq!(block_on(peer.connected()), Err(ended), "and after it");
    }
    for fake in both() {
        let (peer, fake) = insert(&peers, fake);
        fake.set_state(Connected);
        fake.end(ForceCause::RuntimeGone);
        let ended = block_on(peer.wait_for(Disconnected)).expect_err("it ended");
        let forced = CloseMode::Forced(ForceCause::RuntimeGone);
        assert_eq!((ended.reason, ended.mode), (CloseReason::Ended, Some(forced)));
    }
}

#[test]
fn the_end_is_the_state_closed_and_no_error() {
    let peers = Peers::new();
    for fake in both() {
        let (peer, _) = insert(&peers, fake);
        let mut closed = Box::pin(peer.wait_for(Closed));
        assert!(block_on(poll_immediate(&mut closed)).is_none());
        drop(peer.close());
        assert_eq!(block_on(closed), Ok(()));
        assert_eq!(block_on(peer.wait_for(Closed)), Ok(()), "and after it");
    }
}

#[test]
fn a_connection_that_tells_no_state_is_waited_for_until_its_end() {
    let peers = Peers::new();
    for fake in [Fake::new(), Fake::new().tells_changes()] {
        let (peer, _) = insert(&peers, fake);
        assert_eq!(peer.connection_state(), None);
        let (mut connected, mut closed) =
            (Box::pin(peer.connected()), Box::pin(peer.wait_for(Closed)));
        assert!(block_on(poll_immediate(&mut connected)).is_none());
        assert!(block_on(poll_immediate(&mut closed)).is_none());
        drop(peer.close());
        assert!(block_on(connected).is_err());
        assert_eq!(block_on(closed), Ok(()));
    }
}
