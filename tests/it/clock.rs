//! When the end of each bound of a peer is told, by a clock that the tests turn: at its very instant.

use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use anypeer::ConnectionState::{Connected, Connecting, Disconnected, Failed, New};
use anypeer::peer::{CloseMode, CloseOptions, CloseReason, ForceCause, ReaperOptions};
use anypeer::runtime::Runtime;
use anypeer::task::{CancelReason, TaskEnd, TaskGroup};
use anypeer::test_util::ManualClock;
use anypeer::{ConnectionState, Event, EventKind, Observer, Outcome, Peer, PeerOptions, Peers};
use futures::future::poll_immediate;

use crate::support::fake::{Conduct, Fake};
use crate::support::poll::{block_on, until};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What is told of a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    CloseStarted(CloseReason),
    Closed(CloseMode, Duration),
    NotClosed(Outcome, Duration),
    TasksStuck(usize),
    TaskEnded(TaskEnd),
    HandlerStalled(&'static str, Duration),
    HandlerReturned(&'static str, Duration),
}

/// A clock, peers that live by it, and when what was told of them.
struct Fixture {
    clock: ManualClock,
    start: Instant,
    runtime: Runtime,
    peers: Peers,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log(Mutex<Vec<(Instant, Told)>>);

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let told = match &event.kind {
            EventKind::CloseStarted { reason } => Told::CloseStarted(*reason),
            EventKind::Closed { mode, took, .. } => Told::Closed((*mode).clone(), *took),
            EventKind::NotClosed { outcome, took, .. } => {
                Told::NotClosed((*outcome).clone(), *took)
            }
            EventKind::TasksStuck { tasks } => Told::TasksStuck(tasks.len()),
            EventKind::TaskEnded { end, .. } => Told::TaskEnded((*end).clone()),
            EventKind::HandlerStalled { callback, held, .. } => {
                Told::HandlerStalled(callback, *held)
            }
            EventKind::HandlerReturned { callback, held, .. } => {
                Told::HandlerReturned(callback, *held)
            }
            _ => return,
        };
        self.0.lock().unwrap().push((event.at, told));
    }
}

impl Fixture {
    fn new(reaper: ReaperOptions) -> Self {
        let clock = ManualClock::new();
        let runtime = clock.runtime(Runtime::background().expect("a thread"));
        let log = Arc::new(Log::default());
        let observer = Arc::clone(&log) as Arc<dyn Observer>;
        let peers =
            Peers::builder().runtime(runtime.clone()).reaper(reaper).observer(observer).build();
        Self { start: clock.now(), clock, runtime, peers, log }
    }

    fn insert(&self, fake: Fake) -> (Peer, Arc<Fake>) {
        let fake = Arc::new(fake);
        let peer = self.peers.insert(Arc::clone(&fake) as _, PeerOptions::new());
        (peer.expect("inserted"), fake)
    }

    /// What was told by now, and how long after the start.
    fn told(&self) -> Vec<(Duration, Told)> {
        let told = self.log.0.lock().unwrap();
        told.iter().map(|(at, told)| (*at - self.start, told.clone())).collect()
    }

    /// Waits until so much was told.
    #[track_caller]
    fn told_after(&self, number: usize) -> Vec<(Duration, Told)> {
        until("it to be told", || self.told().len() >= number);
        self.told()
    }

    /// Turns the clock by all but a millisecond of `time`, in which nothing is told, and by that.
    #[track_caller]
    fn pass(&self, time: Duration) {
        let before = self.told();
        self.clock.advance(time - MILLISECOND);
        assert_eq!(self.told(), before, "expected nothing before its time");
        self.clock.advance(MILLISECOND);
    }
}

/// A connection that tells of its changes: the only look at it is the one when its time is up.
fn telling(state: ConnectionState) -> Fake {
    Fake::new().state(state).tells_changes()
}

/// What is told of one that is closed because its time is up.
fn reaped(after: Duration, reason: CloseReason) -> [(Duration, Told); 2] {
    let closed = Told::Closed(CloseMode::Graceful, Duration::ZERO);
    [(after, Told::CloseStarted(reason)), (after, closed)]
}

#[test]
fn a_peer_that_never_connects_is_closed_a_minute_after_its_opening() {
    for state in [New, Connecting] {
        let fixture = Fixture::new(ReaperOptions::new().goodbye(false));
        let (peer, fake) = fixture.insert(telling(New));
        fixture.clock.advance(20 * SECOND);
        fake.set_state(state);
        fixture.pass(40 * SECOND);
        assert_eq!(block_on(peer.closed()), CloseReason::NeverConnected);
        assert_eq!(fixture.told(), reaped(60 * SECOND, CloseReason::NeverConnected));
    }
}

#[test]
fn a_peer_that_is_disconnected_or_failed_is_closed_after_30_s_of_it() {
    for (state, reason) in
        [(Disconnected, CloseReason::Disconnected), (Failed, CloseReason::Failed)]
    {
        let fixture = Fixture::new(ReaperOptions::new().goodbye(false));
        let (peer, fake) = fixture.insert(telling(Connected));
        fixture.clock.advance(100 * SECOND);
        fake.set_state(state);
        fixture.clock.advance(29 * SECOND);
        // As by an ICE restart that succeeds: the next one has its 30 s.
        fake.set_state(Connected);
        fixture.clock.advance(100 * SECOND);
        fake.set_state(state);
        fixture.pass(30 * SECOND);
        assert_eq!(block_on(peer.closed()), reason);
        assert_eq!(fixture.told(), reaped(259 * SECOND, reason));
    }
}

#[test]
fn a_close_that_is_forced_is_told_at_the_end_of_its_grace_period() {
    let fixture = Fixture::new(ReaperOptions::off());
    let (peer, fake) =
        fixture.insert(Fake::that(Conduct::Hangs).forced_by(ForceCause::Unresponsive));
    let options = CloseOptions::new().grace(20 * SECOND).timeout(60 * SECOND);
    fixture.clock.advance(SECOND);
    let mut closing = peer.close_with(options);
    let started = (SECOND, Told::CloseStarted(CloseReason::Requested));
    fixture.pass(20 * SECOND);
    let forced = CloseMode::Forced(ForceCause::Unresponsive);
    assert_eq!(block_on(&mut closing), Outcome::Closed(forced.clone()));
    assert_eq!(fixture.told(), [started, (21 * SECOND, Told::Closed(forced, 20 * SECOND))]);
    assert_eq!(fake.aborts(), 1);
}

#[test]
fn a_close_that_times_out_is_told_at_the_end_of_its_bound() {
    let fixture = Fixture::new(ReaperOptions::off());
    let (peer, fake) = fixture.insert(Fake::that(Conduct::Hangs));
    let options = CloseOptions::new().grace(20 * SECOND).timeout(60 * SECOND);
    let mut closing = peer.close_with(options);
    fixture.pass(20 * SECOND);
    until("it to be forced, and that to be in vain", || fake.aborts() == 1);
    assert!(block_on(poll_immediate(&mut closing)).is_none());
    fixture.pass(40 * SECOND);
    let timed_out = Outcome::TimedOut { after: 60 * SECOND };
    assert_eq!(block_on(closing), timed_out);
    let started = (Duration::ZERO, Told::CloseStarted(CloseReason::Requested));
    let not_closed = (60 * SECOND, Told::NotClosed(timed_out, 60 * SECOND));
    assert_eq!(fixture.told(), [started, not_closed]);
    assert_eq!(fixture.peers.len(), 1, "expected it to be open, and to be closed again");
}

#[test]
fn a_task_that_takes_no_notice_of_a_close_is_dropped_when_the_grace_period_is_over() {
    let fixture = Fixture::new(ReaperOptions::off());
    let (peer, _) = fixture.insert(Fake::new());
    let task = peer.tasks().task("deaf").cooperative(true).spawn(std::future::pending::<()>());
    let closing = peer.close_with(CloseOptions::new().grace(20 * SECOND).timeout(60 * SECOND));
    let told = fixture.told_after(2);
    let closed = Told::Closed(CloseMode::Graceful, Duration::ZERO);
    assert_eq!(told[1], (Duration::ZERO, closed));
    fixture.pass(20 * SECOND);
    assert_eq!(block_on(closing), Outcome::Closed(CloseMode::Graceful));
    assert!(block_on(task).is_err());
    let cancelled = Told::TaskEnded(TaskEnd::Cancelled(CancelReason::Group));
    assert_eq!(fixture.told()[2..], [(20 * SECOND, cancelled)]);
}

#[test]
fn a_task_is_cancelled_at_its_deadline() {
    let fixture = Fixture::new(ReaperOptions::off());
    let observer = Arc::clone(&fixture.log) as Arc<dyn Observer>;
    let group = TaskGroup::builder(fixture.runtime.clone()).observer(observer).build();
    let group = group.expect("threads");
    let hour = 3600 * SECOND;
    let task = group.task("slow").timeout(hour).spawn(std::future::pending::<()>());
    fixture.pass(hour);
    assert!(block_on(task).is_err());
    let late = Told::TaskEnded(TaskEnd::Cancelled(CancelReason::DeadlineExceeded));
    assert_eq!(fixture.told_after(1), [(hour, late)]);
}

#[test]
fn a_connection_that_does_not_tell_of_changes_is_asked_by_the_same_clock() {
    let fixture = Fixture::new(ReaperOptions::off());
    let (peer, fake) = fixture.insert(Fake::new().state(New));
    let mut connected = Box::pin(peer.connected());
    assert!(block_on(poll_immediate(&mut connected)).is_none());
    fake.set_state(Connected);
    fixture.clock.advance(SECOND);
    assert_eq!(block_on(connected), Ok(()));
}

#[test]
fn a_clock_is_turned_until_something_happens_and_not_for_what_is_ready() {
    let fixture = Fixture::new(ReaperOptions::new().goodbye(false));
    assert_eq!(block_on(fixture.clock.advance_until(SECOND, std::future::ready(7))), 7);
    assert_eq!(fixture.clock.now(), fixture.start, "expected no turn for what was ready");
    let (peer, _) = fixture.insert(telling(New));
    let closed = block_on(fixture.clock.advance_until(SECOND, peer.closed()));
    assert_eq!(closed, CloseReason::NeverConnected);
    // Later than at its very instant if the thread that looks at the peer was late.
    let (passed, at) = (fixture.clock.now() - fixture.start, fixture.told()[0].0);
    assert!(60 * SECOND <= at && at <= passed, "told at {at:?}, and {passed:?} have passed");
}

/// Turns the clock further when it is woken.
struct Turns(ManualClock, Duration);

impl Wake for Turns {
    fn wake(self: Arc<Self>) {
        self.0.advance(self.1);
    }
}

#[test]
fn a_clock_that_is_turned_while_it_is_being_turned_does_not_go_back() {
    let fixture = Fixture::new(ReaperOptions::off());
    let (peer, _) = fixture.insert(Fake::new().state(New));
    let day = 24 * 3600 * SECOND;
    let turns = Waker::from(Arc::new(Turns(fixture.clock.clone(), day)));
    // A connection that does not tell of its changes is asked soon, and this waits for that.
    let mut connected = Box::pin(peer.connected());
    assert!(connected.as_mut().poll(&mut Context::from_waker(&turns)).is_pending());
    fixture.clock.advance(60 * SECOND);
    let passed = fixture.clock.now() - fixture.start;
    assert!(passed >= day, "expected the later of the two times, and it is {passed:?}");
}

#[test]
fn peers_of_one_set_have_the_clocks_of_their_runtimes() {
    let fixture = Fixture::new(ReaperOptions::new().goodbye(false));
    let (_turned, _) = fixture.insert(telling(New));
    let other = ManualClock::new();
    let runtime = other.runtime(Runtime::background().expect("a thread"));
    let options = PeerOptions::new().id("other").runtime(runtime);
    let other_peer = fixture.peers.insert(Arc::new(telling(New)), options).expect("inserted");
    fixture.clock.advance(60 * SECOND);
    until("the one to be closed", || fixture.peers.len() == 1);
    assert_eq!(fixture.peers.ids(), [other_peer.id().clone()]);
    other.advance(60 * SECOND);
    assert_eq!(block_on(other_peer.closed()), CloseReason::NeverConnected);
}

#[cfg(feature = "webrtc")]
mod of_webrtc {
    use anypeer::runtime::JoinHandle;
    use anypeer::webrtc::peer_connection::PeerConnectionEventHandler;
    use anypeer::webrtc::{self, Instrument, async_trait};

    use super::*;
    use crate::support::flag::Flag;
    use crate::support::poll::PATIENCE;

    /// Its first callback waits until it is let go.
    struct Holds {
        entered: Arc<Flag>,
        let_go: Arc<Flag>,
    }

    #[async_trait]
    impl PeerConnectionEventHandler for Holds {
        async fn on_negotiation_needed(&self) {
            self.entered.raise();
            self.let_go.wait().await;
        }
    }

    /// Calls the decorated handler of the peer "a", whose budget is 10 s, as the driver does, at a known
    /// time. The callback returns once the flag is raised.
    fn call_a_handler_that_holds(fixture: &Fixture) -> (Instrument, Arc<Flag>, JoinHandle<()>) {
        let (entered, let_go) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
        let holds = Holds { entered: Arc::clone(&entered), let_go: Arc::clone(&let_go) };
        let options = PeerOptions::new().id("a").handler_budget(10 * SECOND);
        let instrument = webrtc::instrument(&fixture.peers, |_| Arc::new(holds), options);
        let instrument = instrument.expect("inserted");
        let handler = instrument.handler();
        let task = fixture.runtime.spawn(async move { handler.on_negotiation_needed().await });
        block_on(entered.wait());
        (instrument, let_go, task)
    }

    #[test]
    fn a_callback_is_told_to_be_stalled_at_the_end_of_its_budget_and_when_it_returns() {
        for closed_meanwhile in [false, true] {
            let fixture = Fixture::new(ReaperOptions::off());
            let (_instrument, let_go, mut task) = call_a_handler_that_holds(&fixture);
            fixture.pass(10 * SECOND);
            let callback = "on_negotiation_needed";
            let stalled = (10 * SECOND, Told::HandlerStalled(callback, 10 * SECOND));
            assert_eq!(fixture.told_after(1), std::slice::from_ref(&stalled));
            if closed_meanwhile {
                // The application is told Closed while its other callback is still in progress.
                let closed = fixture.peers.abort("a").wait(PATIENCE);
                assert!(closed.is_ok_and(|outcome| outcome.is_closed()));
            }
            fixture.clock.advance(3590 * SECOND);
            let_go.raise();
            task.wait(PATIENCE).expect("it goes on").expect("it returns");
            let mut told = fixture.told();
            told.retain(|(_, told)| {
                matches!(told, Told::HandlerStalled(..) | Told::HandlerReturned(..))
            });
            let returned = (3600 * SECOND, Told::HandlerReturned(callback, 3600 * SECOND));
            assert_eq!(told, [stalled, returned], "closed meanwhile: {closed_meanwhile}");
        }
    }

    #[test]
    fn a_budget_is_watched_beside_a_callback_that_came_later_and_returned() {
        let fixture = Fixture::new(ReaperOptions::off());
        let (_instrument, let_go, mut task) = call_a_handler_that_holds(&fixture);
        fixture.clock.advance(SECOND);
        assert!(fixture.peers.abort("a").wait(PATIENCE).is_ok_and(|outcome| outcome.is_closed()));
        let before = fixture.told().len();
        fixture.clock.advance(9 * SECOND);
        let stalled = Told::HandlerStalled("on_negotiation_needed", 10 * SECOND);
        assert_eq!(fixture.told_after(before + 1)[before..], [(10 * SECOND, stalled)]);
        let_go.raise();
        task.wait(PATIENCE).expect("it goes on").expect("it returns");
    }
}
