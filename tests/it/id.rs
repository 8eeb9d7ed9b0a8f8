//! Ids and groups: what is taken, what is refused, and what an unknown one closes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseMode, InsertError};
use anypeer::{InvalidId, MAX_ID_BYTES, Outcome, Peer, PeerId, PeerOptions, Peers};

use crate::support::fake::Fake;

const BOUND: Duration = Duration::from_secs(5);

fn insert(peers: &Peers, options: PeerOptions) -> Result<(Peer, Arc<Fake>), InsertError> {
    let connection = Arc::new(Fake::new());
    Ok((peers.insert(Arc::clone(&connection) as _, options)?, connection))
}

#[test]
fn a_million_ids_generated_at_once_are_unique() {
    const THREADS: usize = 8;
    const EACH: usize = 125_000;
    let threads: Vec<_> = (0..THREADS)
        .map(|_| std::thread::spawn(|| (0..EACH).map(|_| PeerId::generate()).collect::<Vec<_>>()))
        .collect();
    let ids: HashSet<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    assert_eq!(ids.len(), THREADS * EACH, "expected 1,000,000 different ids");
}

#[test]
fn an_id_has_1_to_256_bytes() {
    let peers = Peers::new();
    let longest = "ä".repeat(MAX_ID_BYTES / 2);
    let (peer, _) = insert(&peers, PeerOptions::new().id(&longest)).expect("256 bytes are an id");
    assert_eq!(peer.id().as_str(), longest);
    for (id, expected) in [
        (String::new(), InvalidId::Empty),
        ("x".repeat(MAX_ID_BYTES + 1), InvalidId::TooLong(MAX_ID_BYTES + 1)),
    ] {
        for options in [PeerOptions::new().id(&id), PeerOptions::new().group(&id)] {
            match insert(&peers, options) {
                Err(InsertError::Id(error)) => assert_eq!(error, expected),
                other => {
                    panic!("expected {expected:?}, and it was {other:?}", other = other.is_ok())
                }
            }
        }
    }
    assert_eq!(peers.len(), 1, "expected what was refused to leave nothing");
}

#[test]
fn the_id_of_an_open_peer_is_refused_and_free_once_it_is_closed() {
    let peers = Peers::new();
    let (first, _) = insert(&peers, PeerOptions::new().id("a")).unwrap();
    match insert(&peers, PeerOptions::new().id("a")) {
        Err(InsertError::Duplicate(id)) => assert_eq!(id.as_str(), "a"),
        other => panic!("expected a duplicate to be refused: {}", other.is_ok()),
    }
    assert_eq!(first.close().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
    let (second, connection) = insert(&peers, PeerOptions::new().id("a")).expect("the id is free");
    drop(first);
    assert_eq!(peers.ids(), [second.id().clone()], "expected the new one to stay known");
    assert!(peers.close("a").wait(BOUND).unwrap().is_closed());
    assert_eq!(connection.closes(), 1);
}

#[test]
fn an_unknown_id_or_group_is_not_found_and_closes_nothing() {
    let peers = Peers::new();
    let (_peer, connection) = insert(&peers, PeerOptions::new().id("a").group("room")).unwrap();
    let too_long = "x".repeat(10_000);
    for unknown in ["b", "", "room", "../a", "a\0", &too_long] {
        assert_eq!(peers.close(unknown).wait(BOUND), Ok(Outcome::NotFound), "of {unknown:?}");
    }
    for unknown in ["a", "", "rooms", &too_long] {
        let report = peers.close_group(unknown).wait(BOUND).unwrap();
        assert!(!report.found && report.peers.is_empty(), "expected nothing of {unknown:?}");
    }
    assert_eq!(peers.len(), 1, "expected no phantom and no loss");
    assert_eq!(connection.closes(), 0, "expected nothing to be closed");
}

#[test]
fn a_group_is_closed_alone() {
    let peers = Peers::new();
    let (room, other): (Vec<_>, Vec<_>) = (0..10)
        .map(|i| {
            let group = if i % 2 == 0 { "room" } else { "other" };
            insert(&peers, PeerOptions::new().group(group)).unwrap()
        })
        .partition(|(peer, _)| peer.group().is_some_and(|group| group.as_str() == "room"));
    let report = peers.close_group("room").wait(BOUND).unwrap();
    assert!(report.found && report.all_closed() && report.peers.len() == room.len(), "{report}");
    assert!(other.iter().all(|(_, connection)| connection.closes() == 0));
    assert_eq!(peers.len(), other.len());
    let again = peers.close_group("room").wait(BOUND).unwrap();
    assert!(!again.found, "expected a group without an open peer not to be found");
}

#[test]
fn a_set_that_is_shut_down_refuses_and_closes_what_it_has() {
    let peers = Peers::new();
    let (peer, _) = insert(&peers, PeerOptions::new()).unwrap();
    let report = peers.shutdown().wait(BOUND).unwrap();
    assert!(report.all_closed() && report.peers.len() == 1, "{report}");
    assert_eq!(peer.close_reason(), Some(anypeer::peer::CloseReason::Shutdown));
    assert!(matches!(insert(&peers, PeerOptions::new()), Err(InsertError::ShutDown)));
}

#[test]
fn a_detached_peer_is_closed_by_its_set() {
    let peers = Peers::new();
    let (peer, connection) = insert(&peers, PeerOptions::new().id("a")).unwrap();
    let clone = peer.clone();
    peer.detach();
    drop(clone);
    assert_eq!(peers.len(), 1, "expected a detached peer to outlive its owners");
    assert!(peers.close("a").wait(BOUND).unwrap().is_closed());
    let again = peers.close("a");
    assert!(again.found(), "expected the peer to be remembered by its id");
    assert_eq!({ again }.wait(BOUND), Ok(Outcome::AlreadyClosed), "as its handle would say");
    let mut unknown = peers.close("b");
    assert!(!unknown.found(), "expected an id that never was to be unknown");
    assert_eq!(unknown.wait(BOUND), Ok(Outcome::NotFound));

    let (peer, last) = insert(&peers, PeerOptions::new()).unwrap();
    let closed = peer.clone();
    peer.detach();
    drop(peers);
    let mut ended = anypeer::runtime::run(async move { closed.closed().await }).unwrap();
    let reason = ended.wait(BOUND).unwrap().unwrap();
    assert_eq!(reason, anypeer::peer::CloseReason::PeersDropped);
    assert_eq!(connection.closes() + last.closes(), 2);
}
