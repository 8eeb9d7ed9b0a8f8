//! A connection whose own close misbehaves is the worse for it, and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anypeer::peer::{
    CloseFailure, CloseMode, CloseOptions, Connection, ConnectionError, ForceCause,
};
use anypeer::runtime::BoxFuture;
use anypeer::{Outcome, PeerOptions, Peers};

use crate::host::{BACKENDS, Host};

const MESSAGE: &str = "deliberate panic in a close";

/// What a connection's close does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    Closes,
    Hangs,
    Blocks,
    Panics,
    Errs,
}

/// A connection that behaves as told, until it is mended.
struct Stub {
    conduct: Conduct,
    mended: AtomicBool,
    closes: AtomicUsize,
    can_abort: bool,
}

impl Stub {
    fn new(conduct: Conduct) -> Arc<Self> {
        Self::with_abort(conduct, false)
    }

    fn with_abort(conduct: Conduct, can_abort: bool) -> Arc<Self> {
        let (mended, closes) = (AtomicBool::new(false), AtomicUsize::new(0));
        Arc::new(Self { conduct, mended, closes, can_abort })
    }
}

impl Connection for Stub {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(async move {
            self.closes.fetch_add(1, Ordering::AcqRel);
            if !self.mended.load(Ordering::Acquire) {
                match self.conduct {
                    Conduct::Closes => {}
                    Conduct::Hangs => std::future::pending().await,
                    Conduct::Blocks => std::thread::sleep(Duration::from_secs(3600)),
                    Conduct::Panics => panic!("{MESSAGE}"),
                    Conduct::Errs => return Err(ConnectionError::new("refused")),
                }
            }
            Ok(Some(CloseMode::Graceful))
        })
    }

    fn abort(self: Arc<Self>) -> BoxFuture<Option<ForceCause>> {
        let cause = self.can_abort.then_some(ForceCause::Unresponsive);
        Box::pin(async move { cause })
    }
}

fn quiet_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&MESSAGE) {
            default(info);
        }
    }));
}

const BOUND: Duration = Duration::from_millis(1500);

fn bounds() -> CloseOptions {
    CloseOptions::new().timeout(BOUND).grace(Duration::from_millis(300))
}

#[test]
fn close_all_of_a_hundred_ends_within_its_bound_and_reports_each_as_what_it_is() {
    quiet_panics();
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).close(bounds()).build();
        let odd = [Conduct::Hangs, Conduct::Blocks, Conduct::Panics, Conduct::Errs];
        // Mixed, so that some of the good ones come after the bad ones.
        let stubs: Vec<_> = (0..100)
            .map(|i| match i % 8 {
                0 if i / 8 < 12 => Stub::new(odd[i / 8 % 4]),
                _ => Stub::new(Conduct::Closes),
            })
            .collect();
        let owners: Vec<_> = stubs
            .iter()
            .enumerate()
            .map(|(i, stub)| {
                let options = PeerOptions::new().id(i.to_string());
                peers.insert(Arc::clone(stub) as Arc<dyn Connection>, options).expect("inserted")
            })
            .collect();
        let start = Instant::now();
        let report = host.in_task(peers.close_all());
        let took = start.elapsed();
        assert!(took < BOUND + Duration::from_secs(1), "expected {BOUND:?}, and it took {took:?}");
        assert_eq!(report.closed(), 88, "expected the others to be closed: {report}");
        for (i, stub) in stubs.iter().enumerate() {
            let expected = match stub.conduct {
                Conduct::Closes => Outcome::Closed(CloseMode::Graceful),
                Conduct::Hangs | Conduct::Blocks => Outcome::TimedOut { after: BOUND },
                Conduct::Panics => Outcome::Failed(CloseFailure::Panicked(MESSAGE.into())),
                Conduct::Errs => Outcome::Failed(CloseFailure::Error("refused".into())),
            };
            let outcome = report.outcome(&i.to_string());
            assert_eq!(outcome, Some(&expected), "of one that {:?}, {backend:?}", stub.conduct);
        }
        assert_eq!(peers.len(), 12, "expected those that did not close to be there still");
        println!("{}: 88 of 100 closed in {} ms", backend.name(), took.as_millis());

        for stub in &stubs {
            stub.mended.store(true, Ordering::Release);
        }
        let report = peers.close_all().wait(BOUND * 2).expect("a plain thread may block");
        assert_eq!(report.peers.len(), 12, "expected a later close to try those again");
        assert!(report.all_closed(), "expected later closes to work: {report}");
        drop(owners);
    }
}

#[test]
fn what_can_be_aborted_is_forced_after_the_grace_period() {
    quiet_panics();
    let peers = Peers::builder().close(bounds()).build();
    let forced = |cause| Outcome::Closed(CloseMode::Forced(cause));
    let refused = CloseFailure::Error("refused".into());
    let panicked = CloseFailure::Panicked(MESSAGE.into());
    for (conduct, expected) in [
        (Conduct::Hangs, forced(ForceCause::Unresponsive)),
        (Conduct::Blocks, forced(ForceCause::Unresponsive)),
        (Conduct::Errs, forced(ForceCause::Failed(refused))),
        (Conduct::Panics, forced(ForceCause::Failed(panicked))),
    ] {
        let stub = Stub::with_abort(conduct, true);
        let peer = peers.insert(stub, PeerOptions::new()).expect("inserted");
        let outcome = peer.close().wait(BOUND * 2).expect("a plain thread may block");
        assert_eq!(outcome, expected, "of one that {conduct:?}");
        assert_eq!(peer.close().wait(BOUND), Ok(Outcome::AlreadyClosed));
    }
}

#[test]
fn closes_of_one_peer_join_and_it_is_closed_once() {
    let stub = Stub::new(Conduct::Closes);
    let peers = Peers::new();
    let peer = peers.insert(Arc::clone(&stub) as _, PeerOptions::new().id("one")).unwrap();
    let closes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                let (peer, peers) = (&peer, &peers);
                scope.spawn(move || match i % 2 {
                    0 => peer.close().wait(BOUND),
                    _ => peers.close("one").wait(BOUND),
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    assert!(closes.iter().all(Outcome::is_closed), "expected each to be closed: {closes:?}");
    assert_eq!(stub.closes.load(Ordering::Acquire), 1, "expected one close of the connection");
}

#[test]
fn a_slow_close_that_cannot_be_forced_has_the_whole_bound() {
    struct Slow;
    impl Connection for Slow {
        fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
            Box::pin(async {
                async_io::Timer::after(Duration::from_millis(600)).await;
                Ok(Some(CloseMode::Graceful))
            })
        }
    }
    let peers = Peers::builder().close(bounds()).build();
    let peer = peers.insert(Arc::new(Slow), PeerOptions::new()).unwrap();
    let outcome = peer.close().wait(BOUND * 2);
    assert_eq!(outcome, Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_bound_shorter_than_the_grace_period_leaves_time_to_force() {
    let peers = Peers::new();
    for timeout in [Duration::from_millis(200), Duration::ZERO, Duration::MAX] {
        let grace = if timeout == Duration::MAX { Duration::ZERO } else { Duration::MAX };
        let options = CloseOptions::new().timeout(timeout).grace(grace);
        let stub = Stub::with_abort(Conduct::Hangs, true);
        let peer = peers.insert(stub, PeerOptions::new()).unwrap();
        let outcome = peer.close_with(options).wait(BOUND * 2);
        // Without a grace period force is what was asked for.
        let is_asked_for = grace.is_zero() || timeout.is_zero();
        let cause = if is_asked_for { ForceCause::Aborted } else { ForceCause::Unresponsive };
        let forced = Outcome::Closed(CloseMode::Forced(cause));
        assert_eq!(outcome, Ok(forced), "within {timeout:?}, graceful for {grace:?}");
    }
}

#[test]
fn a_close_whose_future_panics_when_it_is_dropped_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("{MESSAGE}");
        }
    }
    struct Armed;
    impl Connection for Armed {
        fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
            Box::pin(async {
                let _bomb = Bomb;
                std::future::pending().await
            })
        }
    }
    quiet_panics();
    let peers = Peers::builder().close(bounds()).build();
    let peer = peers.insert(Arc::new(Armed), PeerOptions::new()).unwrap();
    let outcome = peer.close().wait(BOUND * 2);
    assert_eq!(outcome, Ok(Outcome::TimedOut { after: BOUND }));
    let closes = peers.insert(Stub::new(Conduct::Closes), PeerOptions::new()).unwrap();
    assert_eq!(closes.close().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_failure_after_the_grace_period_is_told_when_it_comes() {
    struct FailsLate;
    impl Connection for FailsLate {
        fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
            Box::pin(async {
                async_io::Timer::after(Duration::from_millis(600)).await;
                Err(ConnectionError::new("refused"))
            })
        }
    }
    let options = CloseOptions::new().timeout(BOUND * 20).grace(Duration::from_millis(300));
    let peers = Peers::builder().close(options).build();
    let peer = peers.insert(Arc::new(FailsLate), PeerOptions::new()).unwrap();
    let refused = CloseFailure::Error("refused".into());
    assert_eq!(peer.close().wait(BOUND * 2), Ok(Outcome::Failed(refused)));
}
