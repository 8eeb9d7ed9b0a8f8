//! A connection whose own close misbehaves is the worse for it, and no other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anypeer::peer::{CloseFailure, CloseMode, CloseOptions, ForceCause};
use anypeer::{Outcome, PeerOptions, Peers};

use crate::support::fake::{Conduct, Fake, REFUSED};
use crate::support::host::on_all_at_once;
use crate::support::panics::{DELIBERATE, hush};

const BOUND: Duration = Duration::from_millis(1500);

fn bounds() -> CloseOptions {
    CloseOptions::new().timeout(BOUND).grace(Duration::from_millis(300))
}

#[test]
fn close_all_of_a_hundred_ends_within_its_bound_and_reports_each_as_what_it_is() {
    hush();
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).close(bounds()).build();
        let odd = [Conduct::Hangs, Conduct::Blocks, Conduct::Panics, Conduct::Fails];
        // Mixed, so that some of the good ones come after the bad ones.
        let fakes: Vec<_> = (0..100)
            .map(|i| match i % 8 {
                0 if i / 8 < 12 => Arc::new(Fake::that(odd[i / 8 % 4])),
                _ => Arc::new(Fake::new()),
            })
            .collect();
        let owners: Vec<_> = fakes
            .iter()
            .enumerate()
            .map(|(i, fake)| {
                let options = PeerOptions::new().id(i.to_string());
                peers.insert(Arc::clone(fake) as _, options).expect("inserted")
            })
            .collect();
        let start = Instant::now();
        let report = host.in_task(peers.close_all());
        let took = start.elapsed();
        assert!(took < BOUND + Duration::from_secs(1), "expected {BOUND:?}, and it took {took:?}");
        assert_eq!(report.closed(), 88, "expected the others to be closed: {report}");
        for (i, fake) in fakes.iter().enumerate() {
            let expected = match fake.conduct() {
                Conduct::Hangs | Conduct::Blocks => Outcome::TimedOut { after: BOUND },
                Conduct::Panics => Outcome::Failed(CloseFailure::Panicked(DELIBERATE.into())),
                Conduct::Fails => Outcome::Failed(CloseFailure::Error(REFUSED.into())),
                _ => Outcome::Closed(CloseMode::Graceful),
            };
            let outcome = report.outcome(&i.to_string());
            assert_eq!(outcome, Some(&expected), "of one that {:?}, {backend:?}", fake.conduct());
        }
        assert_eq!(peers.len(), 12, "expected those that did not close to be there still");
        println!("{}: 88 of 100 closed in {} ms", backend.name(), took.as_millis());

        fakes.iter().for_each(|fake| fake.mend());
        let report = peers.close_all().wait(BOUND * 2).expect("a plain thread may block");
        assert_eq!(report.peers.len(), 12, "expected a later close to try those again");
        assert!(report.all_closed(), "expected later closes to work: {report}");
        drop(owners);
    });
}

#[test]
fn what_can_be_aborted_is_forced_after_the_grace_period() {
    hush();
    let peers = Peers::builder().close(bounds()).build();
    let forced = |cause| Outcome::Closed(CloseMode::Forced(cause));
    let refused = CloseFailure::Error(REFUSED.into());
    let panicked = CloseFailure::Panicked(DELIBERATE.into());
    for (conduct, expected) in [
        (Conduct::Hangs, forced(ForceCause::Unresponsive)),
        (Conduct::Blocks, forced(ForceCause::Unresponsive)),
        (Conduct::Fails, forced(ForceCause::Failed(refused))),
        (Conduct::Panics, forced(ForceCause::Failed(panicked))),
    ] {
        let fake = Fake::that(conduct).forced_by(ForceCause::Unresponsive);
        let peer = peers.insert(Arc::new(fake), PeerOptions::new()).expect("inserted");
        let outcome = peer.close().wait(BOUND * 2).expect("a plain thread may block");
        assert_eq!(outcome, expected, "of one that {conduct:?}");
        assert_eq!(peer.close().wait(BOUND), Ok(Outcome::AlreadyClosed));
    }
}

#[test]
fn closes_of_one_peer_join_and_it_is_closed_once() {
    let fake = Arc::new(Fake::new());
    let peers = Peers::new();
    let peer = peers.insert(Arc::clone(&fake) as _, PeerOptions::new().id("one")).unwrap();
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
    assert_eq!(fake.closes(), 1, "expected one close of the connection");
}

/// Longer than the grace period, and shorter than the bound.
const LATE: Duration = Duration::from_millis(600);

#[test]
fn a_slow_close_that_cannot_be_forced_has_the_whole_bound() {
    let peers = Peers::builder().close(bounds()).build();
    let slow = Arc::new(Fake::that(Conduct::ClosesLate));
    let peer = peers.insert(Arc::clone(&slow) as _, PeerOptions::new()).unwrap();
    let mut closing = peer.close();
    std::thread::sleep(LATE);
    slow.release();
    assert_eq!(closing.wait(BOUND * 2), Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_bound_shorter_than_the_grace_period_leaves_time_to_force() {
    let peers = Peers::new();
    for timeout in [Duration::from_millis(200), Duration::ZERO, Duration::MAX] {
        let grace = if timeout == Duration::MAX { Duration::ZERO } else { Duration::MAX };
        let options = CloseOptions::new().timeout(timeout).grace(grace);
        let fake = Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive);
        let peer = peers.insert(Arc::new(fake), PeerOptions::new()).unwrap();
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
    hush();
    let peers = Peers::builder().close(bounds()).build();
    let armed = Fake::that(Conduct::HangsAndPanicsWhenDropped);
    let peer = peers.insert(Arc::new(armed), PeerOptions::new()).unwrap();
    let outcome = peer.close().wait(BOUND * 2);
    assert_eq!(outcome, Ok(Outcome::TimedOut { after: BOUND }));
    let closes = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).unwrap();
    assert_eq!(closes.close().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_failure_after_the_grace_period_is_told_when_it_comes() {
    let options = CloseOptions::new().timeout(BOUND * 20).grace(Duration::from_millis(300));
    let peers = Peers::builder().close(options).build();
    let fails = Arc::new(Fake::that(Conduct::FailsLate));
    let peer = peers.insert(Arc::clone(&fails) as _, PeerOptions::new()).unwrap();
    let mut closing = peer.close();
    std::thread::sleep(LATE);
    fails.release();
    let refused = CloseFailure::Error(REFUSED.into());
    assert_eq!(closing.wait(BOUND * 2), Ok(Outcome::Failed(refused)));
}
