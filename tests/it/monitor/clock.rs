//! What concerns a peer is measured on the clock of its runtime, which is not the system's here.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anypeer::monitor::{ConnectionInfo, Monitor};
use anypeer::peer::{CloseOptions, CloseReason};
use anypeer::runtime::Runtime;
use anypeer::test_util::ManualClock;
use anypeer::{Outcome, Peer, PeerOptions, Peers};

use crate::support::fake::{Conduct, Fake};
use crate::support::poll::{block_on, until};

const HOUR: Duration = Duration::from_secs(3600);

/// Peers on a clock that is a day ahead of the system's, and a monitor that watches them.
struct Fixture {
    clock: ManualClock,
    monitor: Monitor,
    peers: Peers,
}

impl Fixture {
    fn new() -> Self {
        let clock = ManualClock::new();
        let monitor = Monitor::new().expect("threads");
        clock.advance(24 * HOUR);
        let runtime = clock.runtime(Runtime::background().expect("a thread"));
        let close = CloseOptions::new().grace(10 * HOUR).timeout(20 * HOUR);
        let peers = Peers::builder().runtime(runtime).close(close).monitor(&monitor).build();
        Self { clock, monitor, peers }
    }

    fn insert(&self, fake: &Arc<Fake>) -> Peer {
        let options = PeerOptions::new().id("it");
        self.peers.insert(Arc::clone(fake) as _, options).expect("inserted")
    }

    fn info(&self) -> ConnectionInfo {
        self.monitor.connection("it").expect("it is known")
    }
}

fn between(earlier: SystemTime, later: SystemTime) -> Duration {
    later.duration_since(earlier).expect("time does not go backwards")
}

/// The times of a record agree with each other: none goes backwards, and the age is from the first
/// to the last.
fn agrees(info: &ConnectionInfo) {
    let times: Vec<_> = info.timeline.iter().map(|(at, _)| *at).collect();
    assert!(times.is_sorted(), "expected the timeline in order: {:#?}", info.timeline);
    assert_eq!(times.first(), Some(&info.created_at));
    if let Some(end) = &info.end {
        assert_eq!(between(info.created_at, end.at), info.age, "expected the age at the end");
    }
}

#[test]
fn a_peer_of_an_hour_is_an_hour_old_before_and_after_its_close() {
    let fixture = Fixture::new();
    let fake = Arc::new(Fake::that(Conduct::ClosesLate));
    let peer = fixture.insert(&fake);
    fixture.clock.advance(HOUR);
    let info = fixture.info();
    assert_eq!((info.age, info.idle), (HOUR, HOUR));
    let row = || fixture.monitor.find_one("it").expect("it is known").row();
    assert_eq!(row().age, HOUR);

    let closing = peer.close();
    fixture.clock.advance(HOUR);
    fake.release();
    assert!(block_on(closing).is_closed());
    fixture.clock.advance(HOUR);
    let info = fixture.info();
    assert_eq!((info.age, info.idle), (2 * HOUR, 2 * HOUR));
    assert_eq!(info.end.as_ref().map(|end| end.took), Some(HOUR));
    assert_eq!(row().age, 2 * HOUR);
    agrees(&info);
}

#[test]
fn an_operation_of_an_hour_has_taken_an_hour_while_it_runs_and_when_it_has_ended() {
    let fixture = Fixture::new();
    let fake = Arc::new(Fake::that(Conduct::ClosesLate));
    let peer = fixture.insert(&fake);
    let own = fixture.monitor.new_operation("greet").peer(peer.id()).start();
    let closing = fixture.peers.close_all();
    let ids = [own.id(), closing.operation(), peer.close().operation()];
    let took = || ids.map(|id| fixture.monitor.operation(id).expect("it is known").duration);
    fixture.clock.advance(HOUR);
    assert_eq!(took(), [HOUR; 3], "expected those under way to be measured");
    fake.release();
    own.complete();
    assert!(block_on(closing).all_closed());
    fixture.clock.advance(HOUR);
    assert_eq!(took(), [HOUR; 3], "expected those that have ended to stay as they were");
}

#[test]
fn a_peer_that_would_not_close_ends_by_its_own_clock() {
    let fixture = Fixture::new();
    let peer = fixture.insert(&Arc::new(Fake::that(Conduct::Fails)));
    fixture.clock.advance(HOUR);
    assert!(matches!(block_on(peer.close()), Outcome::Failed(_)));
    fixture.clock.advance(HOUR);
    drop(peer);
    until("the record to end", || fixture.info().end.is_some());
    let info = fixture.info();
    assert_eq!(info.end.as_ref().map(|end| end.reason), Some(CloseReason::Dropped));
    assert_eq!(info.age, 2 * HOUR);
    agrees(&info);
}

#[cfg(feature = "webrtc")]
mod of_webrtc {
    use std::sync::Mutex;

    use anypeer::peer::Probe;
    use anypeer::webrtc;
    use anypeer::{Event, EventKind, Observer};

    use super::*;
    use crate::adopt::build_bare;
    use crate::support::host::{BACKENDS, Host};

    /// Keeps the probe of the peer that was opened last.
    #[derive(Default)]
    struct Probes(Mutex<Option<Probe>>);

    impl Observer for Probes {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::Opened { probe, .. } = event.kind {
                *self.0.lock().unwrap() = Some(probe.clone());
            }
        }
    }

    #[test]
    fn statistics_are_dated_by_the_clock_of_the_peer() {
        let host = Host::start(BACKENDS[0]);
        let clock = ManualClock::new();
        clock.advance(24 * HOUR);
        let probes = Arc::new(Probes::default());
        let observer = Arc::clone(&probes) as Arc<dyn Observer>;
        let peers =
            Peers::builder().runtime(clock.runtime(host.runtime())).observer(observer).build();
        host.in_task(async move {
            let sampled = async || {
                let probe = probes.0.lock().unwrap().clone().expect("it was opened");
                probe.stats().await.expect("it is open").at
            };
            let (peer, _) =
                crate::support::loopback::open(&peers, PeerOptions::new()).await.expect("opens");
            assert_eq!(sampled().await, clock.now());
            let bare = build_bare(BACKENDS[0]).await;
            let adopted = webrtc::adopt(&peers, bare, PeerOptions::new()).expect("adopted");
            clock.advance(HOUR);
            assert_eq!(sampled().await, clock.now());
            drop((adopted, peer));
        });
    }
}
