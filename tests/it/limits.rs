//! How many peers there may be, and when no new ones are taken.

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseMode, InsertError};
use anypeer::runtime::Runtime;
use anypeer::webrtc::{self, OpenError};
use anypeer::{Outcome, PeerOptions, Peers};

use crate::host::{BACKENDS, Host};
use crate::loopback::{Recorder, Seen, builder, open};

#[test]
fn one_peer_more_than_may_be_is_refused_until_another_has_ended() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).max_peers(2).build();
        host.in_task(async move {
            let (first, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            let (_second, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            let refused = open(&peers, PeerOptions::new()).await.map(drop);
            assert!(
                matches!(refused, Err(OpenError::Insert(InsertError::Full { limit: 2 }))),
                "expected it to be refused: {refused:?}"
            );
            assert_eq!(peers.len(), 2);
            assert_eq!(first.close().await, Outcome::Closed(CloseMode::Graceful));
            assert_eq!(peers.len(), 1);
            open(&peers, PeerOptions::new()).await.expect("there is room again");
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
            let (first, _) = open(&peers, of("a")).await.expect("opens");
            let (_other, _) = open(&peers, of("b")).await.expect("opens");
            let (_none, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            let (_none_either, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            match open(&peers, of("a")).await.map(drop) {
                Err(OpenError::Insert(InsertError::GroupFull { group, limit: 1 })) => {
                    assert_eq!(group.as_str(), "a");
                }
                other => panic!("expected it to be refused: {other:?}"),
            }
            drop(first);
            peers.close_group("a").await;
            open(&peers, of("a")).await.expect("there is room again");
        });
    }
}

#[test]
fn what_is_refused_leaves_nothing() {
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).max_peers(0).build();
    let seen = Arc::new(Seen::default());
    let handler = Recorder::new(Arc::clone(&seen));
    let weak = Arc::downgrade(&handler);
    let refused = host.in_task(async move {
        webrtc::open(&peers, builder(), |_| handler, PeerOptions::new()).await.map(drop)
    });
    assert!(refused.is_err(), "expected it to be refused");
    assert!(weak.upgrade().is_none(), "expected its handler to be dropped");
}

#[test]
fn a_set_that_drains_refuses_new_peers_and_is_idle_when_the_last_has_ended() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        host.in_task(async move {
            let (first, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            let (second, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            peers.drain();
            let refused = open(&peers, PeerOptions::new()).await.map(drop);
            assert!(
                matches!(refused, Err(OpenError::Insert(InsertError::Draining))),
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
            let refused = open(&peers, PeerOptions::new()).await.map(drop);
            assert!(
                matches!(refused, Err(OpenError::Insert(InsertError::ShutDown))),
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
        let (peer, _) = futures::executor::block_on(open(&peers, PeerOptions::new().group("g")))
            .expect("expected room for one");
        peer.detach();
        let mut closing = peers.close_all();
        closing.wait(Duration::from_secs(5)).expect("a plain thread may block");
        assert_eq!(peers.len(), 0);
    }
}
