//! What a close does when its grace period is over, and when its bound is, to the millisecond: by a
//! clock that the tests turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anypeer::peer::{CloseFailure, CloseMode, CloseOptions, Closing, ConnectionError, ForceCause};
use anypeer::runtime::{BoxFuture, Runtime};
use anypeer::test_util::ManualClock;
use anypeer::{Event, EventKind, Observer, Outcome, Peer, PeerOptions, Peers, peer};
use futures::future::poll_immediate;

use crate::support::fake::{Conduct, Fake, REFUSED};
use crate::support::flag::Flag;
use crate::support::panics::{DELIBERATE, hush};
use crate::support::poll::{PATIENCE, block_on, until};

const BOUND: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(20);

const MOMENT: Duration = Duration::from_millis(1);

fn bounds() -> CloseOptions {
    CloseOptions::new().timeout(BOUND).grace(GRACE)
}

fn on(clock: &ManualClock) -> Peers {
    let background = Runtime::background().expect("threads");
    Peers::builder().runtime(clock.runtime(background)).close(bounds()).build()
}

/// Starts to close a peer, and waits until its connection's close has begun.
fn begin(peers: &Peers, fake: &Arc<Fake>, options: CloseOptions) -> (Peer, Closing) {
    let peer = peers.insert(Arc::clone(fake) as _, PeerOptions::new()).expect("inserted");
    let closing = peer.close_with(options);
    until("the close to begin", || fake.closes() > 0);
    (peer, closing)
}

fn is_over(closing: &mut Closing) -> bool {
    block_on(poll_immediate(closing)).is_some()
}

#[test]
fn what_hangs_or_blocks_is_forced_when_the_grace_period_is_over_and_not_before() {
    for conduct in [Conduct::Hangs, Conduct::Blocks] {
        let clock = ManualClock::new();
        let fake = Arc::new(Fake::that(conduct).forced_by(ForceCause::Unresponsive));
        let (peer, mut closing) = begin(&on(&clock), &fake, bounds());
        clock.advance(GRACE - MOMENT);
        assert_eq!((is_over(&mut closing), fake.aborts()), (false, 0), "of one that {conduct:?}");
        clock.advance(MOMENT);
        let forced = Outcome::Closed(CloseMode::Forced(ForceCause::Unresponsive));
        assert_eq!(closing.wait(PATIENCE), Ok(forced), "of one that {conduct:?}");
        assert_eq!(peer.close().wait(PATIENCE), Ok(Outcome::AlreadyClosed));
    }
}

#[test]
fn what_fails_or_panics_is_forced_at_once() {
    hush();
    for (conduct, failure) in [
        (Conduct::Fails, CloseFailure::Error(REFUSED.into())),
        (Conduct::Panics, CloseFailure::Panicked(DELIBERATE.into())),
    ] {
        let fake = Arc::new(Fake::that(conduct).forced_by(ForceCause::Unresponsive));
        let (peer, mut closing) = begin(&on(&ManualClock::new()), &fake, bounds());
        let forced = Outcome::Closed(CloseMode::Forced(ForceCause::Failed(failure)));
        assert_eq!(closing.wait(PATIENCE), Ok(forced), "of one that {conduct:?}");
        assert_eq!(peer.close().wait(PATIENCE), Ok(Outcome::AlreadyClosed));
    }
}

/// Turns the clock until a connection that cannot be forced has the last moment of its bound.
fn until_the_last_moment(clock: &ManualClock, fake: &Fake, closing: &mut Closing) {
    clock.advance(GRACE);
    until("it to be forced, in vain", || fake.aborts() > 0);
    clock.advance(BOUND - GRACE - MOMENT);
    assert!(!is_over(closing), "expected it to have its whole bound");
}

#[test]
fn a_slow_close_that_cannot_be_forced_has_the_whole_bound() {
    let clock = ManualClock::new();
    let slow = Arc::new(Fake::that(Conduct::ClosesLate));
    let (_peer, mut closing) = begin(&on(&clock), &slow, bounds());
    until_the_last_moment(&clock, &slow, &mut closing);
    slow.release();
    assert_eq!(closing.wait(PATIENCE), Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_failure_after_the_grace_period_is_told_when_it_comes() {
    let clock = ManualClock::new();
    let fails = Arc::new(Fake::that(Conduct::FailsLate));
    let (_peer, mut closing) = begin(&on(&clock), &fails, bounds());
    until_the_last_moment(&clock, &fails, &mut closing);
    fails.release();
    let refused = CloseFailure::Error(REFUSED.into());
    assert_eq!(closing.wait(PATIENCE), Ok(Outcome::Failed(refused)));
}

#[test]
fn a_connection_that_ends_by_itself_during_a_close_that_hangs_is_closed_and_says_why() {
    for before_the_grace_is_over in [true, false] {
        let clock = ManualClock::new();
        let fake = Arc::new(Fake::that(Conduct::Hangs));
        let (peer, mut closing) = begin(&on(&clock), &fake, bounds());
        if before_the_grace_is_over {
            fake.end(ForceCause::DriverPanicked);
            clock.advance(GRACE);
        } else {
            clock.advance(GRACE);
            until("it to be forced, in vain", || fake.aborts() > 0);
            fake.end(ForceCause::DriverPanicked);
        }
        let forced = CloseMode::Forced(ForceCause::DriverPanicked);
        assert_eq!(closing.wait(PATIENCE), Ok(Outcome::Closed(forced.clone())));
        assert_eq!(peer.close_mode(), Some(forced));
        assert_eq!(peer.close().wait(PATIENCE), Ok(Outcome::AlreadyClosed));
    }
}

/// Holds the first thread that comes by until it is let go.
#[derive(Default)]
struct Gate {
    passed: AtomicBool,
    entered: Flag,
    let_go: Flag,
}

impl Gate {
    fn pass(&self) {
        if !self.passed.swap(true, Ordering::AcqRel) {
            self.entered.raise();
            block_on(self.let_go.wait());
        }
    }
}

/// Holds whoever begins the first close, between its beginning and its graceful part.
impl Observer for Gate {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::CloseStarted { .. } = event.kind {
            self.pass();
        }
    }
}

#[test]
fn a_close_that_begins_when_another_has_failed_keeps_its_own_grace_period() {
    let (clock, gate) = (ManualClock::new(), Arc::new(Gate::default()));
    let runtime = clock.runtime(Runtime::background().expect("threads"));
    let observer = Arc::clone(&gate) as Arc<dyn Observer>;
    let peers = Peers::builder().runtime(runtime).close(bounds()).observer(observer).build();
    let fake = Arc::new(Fake::that(Conduct::Fails));
    let peer = peers.insert(Arc::clone(&fake) as _, PeerOptions::new()).expect("inserted");
    std::thread::scope(|scope| {
        scope.spawn(|| drop(peer.close()));
        block_on(gate.entered.wait());
        let failed = Outcome::Failed(CloseFailure::Error(REFUSED.into()));
        assert_eq!(peer.abort().wait(PATIENCE), Ok(failed), "expected it to join the first close");
        fake.set_conduct(Conduct::Hangs);
        drop(peer.close());
        until("the second close to begin", || fake.closes() == 2);
        gate.let_go.raise();
    });
    assert_eq!((fake.closes(), fake.aborts()), (2, 1), "expected the first close to be over");
    clock.advance(GRACE);
    until("the second close to be forced at the end of its grace", || fake.aborts() == 2);
}

/// A connection that holds whoever asks it first how it is to be closed.
struct Gated {
    gate: Gate,
    fake: Arc<Fake>,
}

impl peer::Connection for Gated {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        peer::Connection::close(Arc::clone(&self.fake))
    }

    fn is_cooperative(&self) -> bool {
        self.gate.pass();
        false
    }
}

#[test]
fn a_graceful_close_that_begins_after_its_close_is_over_keeps_nothing() {
    let clock = ManualClock::new();
    let peers = on(&clock);
    let fake = Arc::new(Fake::that(Conduct::Hangs));
    let gated = Arc::new(Gated { gate: Gate::default(), fake: Arc::clone(&fake) });
    let peer = peers.insert(Arc::clone(&gated) as _, PeerOptions::new()).expect("inserted");
    std::thread::scope(|scope| {
        scope.spawn(|| drop(peer.close()));
        block_on(gated.gate.entered.wait());
        let timed_out = block_on(clock.advance_until(BOUND, peer.close()));
        assert_eq!(timed_out, Outcome::TimedOut { after: BOUND });
        gated.gate.let_go.raise();
    });
    fake.mend();
    drop(peer);
    until("nothing to keep the connection", || Arc::strong_count(&gated) == 1);
}

#[test]
fn a_bound_shorter_than_the_grace_period_leaves_a_quarter_to_force() {
    const SHORT: Duration = Duration::from_millis(200);
    let clock = ManualClock::new();
    let fake = Arc::new(Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive));
    let options = CloseOptions::new().timeout(SHORT).grace(Duration::MAX);
    let (_peer, mut closing) = begin(&on(&clock), &fake, options);
    clock.advance(SHORT / 4 * 3 - MOMENT);
    assert!(!is_over(&mut closing));
    clock.advance(MOMENT);
    let forced = Outcome::Closed(CloseMode::Forced(ForceCause::Unresponsive));
    assert_eq!(closing.wait(PATIENCE), Ok(forced));
}

#[test]
fn without_a_grace_period_it_is_forced_at_once_as_was_asked_for() {
    for (timeout, grace) in [(Duration::ZERO, Duration::MAX), (Duration::MAX, Duration::ZERO)] {
        let fake = Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive);
        let peers = on(&ManualClock::new());
        let peer = peers.insert(Arc::new(fake), PeerOptions::new()).expect("inserted");
        let outcome = peer.close_with(CloseOptions::new().timeout(timeout).grace(grace));
        let forced = Outcome::Closed(CloseMode::Forced(ForceCause::Aborted));
        assert_eq!({ outcome }.wait(PATIENCE), Ok(forced), "within {timeout:?}, for {grace:?}");
    }
}

#[test]
fn a_close_whose_future_panics_when_it_is_dropped_harms_nobody() {
    hush();
    let clock = ManualClock::new();
    let peers = on(&clock);
    let armed = Arc::new(Fake::that(Conduct::HangsAndPanicsWhenDropped));
    let (_peer, mut closing) = begin(&peers, &armed, bounds());
    until_the_last_moment(&clock, &armed, &mut closing);
    clock.advance(MOMENT);
    assert_eq!(closing.wait(PATIENCE), Ok(Outcome::TimedOut { after: BOUND }));
    let closes = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).unwrap();
    assert_eq!(closes.close().wait(PATIENCE), Ok(Outcome::Closed(CloseMode::Graceful)));
}
