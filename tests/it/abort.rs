//! Ending a connection at once, of which its remote side is told nothing.

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseFailure, CloseMode, CloseOptions, CloseReason, ForceCause};
use anypeer::runtime::JoinError;
use anypeer::{Outcome, Peer, PeerOptions, Peers};

use crate::support::fake::{Conduct, Fake, REFUSED};
use crate::support::poll::block_on;

const BOUND: Duration = Duration::from_secs(5);
const ABORTED: Outcome = Outcome::Closed(CloseMode::Forced(ForceCause::Aborted));

/// Peers that give a close all the time in the world.
fn patient() -> Peers {
    let hour = Duration::from_secs(3600);
    Peers::builder().close(CloseOptions::new().timeout(2 * hour).grace(hour)).build()
}

fn insert(peers: &Peers, fake: Fake) -> (Peer, Arc<Fake>) {
    let fake = Arc::new(fake);
    let peer = peers.insert(Arc::clone(&fake) as _, PeerOptions::new().id("a")).expect("inserted");
    (peer, fake)
}

#[test]
fn an_abort_leaves_out_the_graceful_close() {
    let peers = patient();
    for by_id in [true, false] {
        let forced = Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive);
        let (peer, fake) = insert(&peers, forced);
        let mut closing = if by_id { peers.abort("a") } else { peer.abort() };
        assert!(closing.found());
        assert_eq!(closing.wait(BOUND), Ok(ABORTED));
        assert_eq!((fake.closes(), fake.aborts()), (0, 1));
        assert_eq!(peer.close_reason(), Some(CloseReason::Requested));
        assert_eq!(peer.close_mode(), Some(CloseMode::Forced(ForceCause::Aborted)));
        assert_eq!(peer.abort().wait(BOUND), Ok(Outcome::AlreadyClosed));
        assert_eq!(peers.abort("a").wait(BOUND), Ok(Outcome::AlreadyClosed));
    }
    assert_eq!(peers.abort("b").wait(BOUND), Ok(Outcome::NotFound));
}

#[test]
fn a_close_under_way_that_is_aborted_goes_on_by_force() {
    let peers = patient();
    for cooperative in [true, false] {
        let forced = Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive);
        let (peer, fake) = insert(&peers, if cooperative { forced.cooperative() } else { forced });
        let mut closing = peer.close();
        let mut aborting = peer.abort();
        assert_eq!(closing.operation(), aborting.operation(), "expected it to join the close");
        assert_eq!(aborting.wait(BOUND), Ok(ABORTED));
        assert_eq!(closing.wait(BOUND), Ok(ABORTED), "expected one outcome for both");
        assert_eq!(fake.aborts(), 1);
    }
}

#[test]
fn a_connection_that_cannot_be_aborted_is_closed_as_ever() {
    let peers = patient();
    let (peer, fake) = insert(&peers, Fake::new());
    assert_eq!(peer.abort().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
    assert_eq!((fake.closes(), fake.aborts()), (1, 1));

    let (peer, fake) = insert(&peers, Fake::that(Conduct::Fails));
    let refused = Outcome::Failed(CloseFailure::Error(REFUSED.into()));
    assert_eq!(peer.abort().wait(BOUND), Ok(refused));
    fake.mend();
    assert_eq!(peer.abort().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)), "and again");
}

#[test]
fn a_close_that_ends_while_it_is_aborted_is_not_begun_again() {
    let peers = patient();
    for _ in 0..200 {
        let (peer, fake) = insert(&peers, Fake::that(Conduct::ClosesLate));
        let (mut closing, mut aborting) = (peer.close(), peer.abort());
        fake.release();
        assert_eq!(aborting.wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
        assert_eq!(closing.wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
        assert_eq!(fake.closes(), 1, "expected the close under way to be the one");
    }
}

#[test]
fn an_abort_waits_for_no_task_that_takes_no_notice_and_names_it() {
    let peers = patient();
    let forced = Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive);
    let (peer, _) = insert(&peers, forced);
    drop(peer.tasks().track(std::future::pending::<()>()));
    let deaf = peer.tasks().task("deaf").cooperative(true).spawn(std::future::pending::<()>());
    assert_eq!(peer.abort().wait(BOUND), Ok(ABORTED), "expected no task to be waited for");
    assert_eq!(block_on(deaf), Err(JoinError::Cancelled), "expected no grace period for tasks");
}

#[cfg(feature = "webrtc")]
mod of_webrtc {
    use anypeer::{Event, EventKind, Observer};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::channel::oneshot;

    use super::*;
    use crate::support::host::on_all_at_once;
    use crate::support::loopback::{Pair, open};

    /// After a goodbye the other side would have noticed by then.
    const NOTICED_BY: Duration = Duration::from_secs(2);

    #[test]
    fn the_remote_side_of_an_aborted_peer_is_told_nothing() {
        on_all_at_once(|backend, host| {
            let peers = Peers::builder().runtime(host.runtime()).build();
            let pair = host.in_task({
                let peers = peers.clone();
                async move {
                    let options = || PeerOptions::new();
                    Pair::open(&peers, options().id("goes"), options().id("stays")).await
                }
            });
            let pair = pair.expect("connects");
            let outcome = peers.abort("goes").wait(BOUND).expect("a plain thread may block");
            assert_eq!(outcome, ABORTED, "on {backend:?}");
            assert_eq!(peers.len(), 1, "on {backend:?}");
            std::thread::sleep(NOTICED_BY);
            assert_eq!(pair.answerer.close_reason(), None, "on {backend:?}");
            let stays = pair.answerer.abort().wait(BOUND).expect("a plain thread may block");
            assert_eq!(stays, ABORTED, "on {backend:?}");
        });
    }

    /// Counts the callbacks that are told to be stalled.
    #[derive(Default)]
    struct Stalls(AtomicUsize);

    impl Observer for Stalls {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::HandlerStalled { .. } = event.kind {
                self.0.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    #[test]
    fn a_callback_that_aborts_its_own_peer_is_not_stalled() {
        on_all_at_once(|backend, host| {
            for awaits_it in [false, true] {
                let stalls = Arc::new(Stalls::default());
                let observer = Arc::clone(&stalls) as Arc<dyn Observer>;
                let peers = Peers::builder().runtime(host.runtime()).observer(observer).build();
                let outcome = host.in_task(async move {
                    let offerer = open(&peers, PeerOptions::new()).await.expect("opens");
                    let answerer = open(&peers, PeerOptions::new()).await.expect("opens");
                    let weak = Peer::downgrade(&answerer.0);
                    let (aborting, aborted) = oneshot::channel();
                    *answerer.1.hook.lock().unwrap() = Some(Box::new(move || {
                        Box::pin(async move {
                            let peer = weak.upgrade().expect("it is open");
                            let closing = peer.abort();
                            let _sent = aborting.send(peer.abort());
                            if awaits_it {
                                let _never = closing.await;
                            }
                        })
                    }));
                    let _connected = Pair::connect(offerer, answerer).await;
                    aborted.await.expect("the callback is called").await
                });
                assert_eq!(outcome, ABORTED, "on {backend:?}");
                let stalls = stalls.0.load(Ordering::Acquire);
                assert_eq!(stalls, 0, "expected no stall on {backend:?} (awaits it: {awaits_it})");
            }
        });
    }
}
