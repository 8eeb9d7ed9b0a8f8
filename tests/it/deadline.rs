//! A connection whose own close misbehaves is the worse for it, and no other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anypeer::peer::{CloseFailure, CloseMode, CloseOptions};
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
