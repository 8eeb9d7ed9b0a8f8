//! How many peers there may be, and when no new ones are taken.

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseMode, InsertError};
use anypeer::runtime::Runtime;
use anypeer::{Outcome, Peer, PeerOptions, Peers};

use crate::support::fake::Fake;
use crate::support::host::{BACKENDS, Host};

fn open(peers: &Peers, options: PeerOptions) -> Result<Peer, InsertError> {
    peers.insert(Arc::new(Fake::new().cooperative()), options)
}

#[test]
fn one_peer_more_than_may_be_is_refused_until_another_has_ended() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).max_peers(2).build();
        host.in_task(async move {
            let first = open(&peers, PeerOptions::new()).expect("opens");
            let _second = open(&peers, PeerOptions::new()).expect("opens");
            let refused = open(&peers, PeerOptions::new()).map(drop);
            assert!(
                matches!(refused, Err(InsertError::Full { limit: 2 })),
                "expected it to be refused: {refused:?}"
            );
            assert_eq!(peers.len(), 2);
            assert_eq!(first.close().await, Outcome::Closed(CloseMode::Graceful));
            assert_eq!(peers.len(), 1);
            open(&peers, PeerOptions::new()).expect("there is room again");
        });
    }
}

#[test]
fn one_peer_more_of_a_group_than_may_be_is_refused_and_others_are_not() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).max_peers_per_group(1).build();
        host.in_task(async move {
            let of = |group: &str| PeerOptions::new().group(group);
            let first = open(&peers, of("a")).expect("opens");
            let _other = open(&peers, of("b")).expect("opens");
            let _none = open(&peers, PeerOptions::new()).expect("opens");
            let _none_either = open(&peers, PeerOptions::new()).expect("opens");
            match open(&peers, of("a")).map(drop) {
                Err(InsertError::GroupFull { group, limit: 1 }) => {
                    assert_eq!(group.as_str(), "a");
                }
                other => panic!("expected it to be refused: {other:?}"),
            }
            drop(first);
            peers.close_group("a").await;
            open(&peers, of("a")).expect("there is room again");
        });
    }
}

#[cfg(feature = "webrtc")]
#[test]
fn a_real_connection_that_is_refused_leaves_nothing() {
    use anypeer::webrtc::{self, OpenError};

    use crate::support::loopback::{Recorder, Seen, builder};

    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).max_peers(0).build();
        let handler = Recorder::new(Arc::new(Seen::default()));
        let weak = Arc::downgrade(&handler);
        let refused = host.in_task(async move {
            webrtc::open(&peers, builder(), |_| handler, PeerOptions::new()).await.map(drop)
        });
        assert!(
            matches!(refused, Err(OpenError::Insert(InsertError::Full { limit: 0 }))),
            "expected it to be refused on {backend:?}: {refused:?}"
        );
        assert!(weak.upgrade().is_none(), "expected its handler to be dropped on {backend:?}");
    }
}

#[test]
fn a_set_that_drains_refuses_new_peers_and_is_idle_when_the_last_has_ended() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        host.in_task(async move {
            let first = open(&peers, PeerOptions::new()).expect("opens");
            let second = open(&peers, PeerOptions::new()).expect("opens");
            peers.drain();
            let refused = open(&peers, PeerOptions::new()).map(drop);
            assert!(
                matches!(refused, Err(InsertError::Draining)),
                "expected it to be refused: {refused:?}"
            );
            assert_eq!(peers.len(), 2, "expected those that are open to stay");
            let mut idle = Box::pin(peers.idle());
            assert!(futures::future::poll_immediate(&mut idle).await.is_none());
            assert_eq!(first.close().await, Outcome::Closed(CloseMode::Graceful));
            assert!(futures::future::poll_immediate(&mut idle).await.is_none());
            drop(second);
            idle.await;
            assert!(peers.is_empty());
            peers.shutdown().await;
            peers.drain();
            let refused = open(&peers, PeerOptions::new()).map(drop);
            assert!(
                matches!(refused, Err(InsertError::ShutDown)),
                "expected draining not to undo a shutdown: {refused:?}"
            );
        });
    }
}

#[test]
fn the_numbers_are_right_whatever_ends_a_peer() {
    let peers = Peers::builder()
        .runtime(Runtime::background().expect("a thread"))
        .max_peers_per_group(1)
        .build();
    for _ in 0..3 {
        let peer = open(&peers, PeerOptions::new().group("g")).expect("expected room for one");
        peer.detach();
        let mut closing = peers.close_all();
        closing.wait(Duration::from_secs(5)).expect("a plain thread may block");
        assert_eq!(peers.len(), 0);
    }
}
