//! When a peer is over, to the second, on connections without a network: by a clock that the tests
//! turn.

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseReason, ReaperOptions};
use anypeer::runtime::Runtime;
use anypeer::test_util::ManualClock;
use anypeer::{ConnectionState, Peer, PeerOptions, Peers};

use crate::support::fake::{Fake, Goodbye};
use crate::support::panics::hush;
use crate::support::poll::{block_on, until};

const SECOND: Duration = Duration::from_secs(1);

fn on(clock: &ManualClock, reaper: ReaperOptions) -> Peers {
    let background = Runtime::background().expect("threads");
    Peers::builder().runtime(clock.runtime(background)).reaper(reaper).build()
}

/// Turns the clock, and waits until the reaper has found that the peer is not over: only then it
/// asks for a goodbye. After that it asks for the state once more, to know when to look again.
fn is_left_alone(clock: &ManualClock, by: Duration, fake: &Fake) {
    let (states, goodbyes) = (fake.states_asked(), fake.goodbyes_asked());
    clock.advance(by);
    until("it to be left alone", || {
        fake.goodbyes_asked() > goodbyes && fake.states_asked() >= states + 2
    });
}

fn insert(peers: &Peers, fake: Fake) -> (Peer, Arc<Fake>) {
    let fake = Arc::new(fake);
    (peers.insert(Arc::clone(&fake) as _, PeerOptions::new()).expect("inserted"), fake)
}

fn is_closed(peer: &Peer, reason: CloseReason) {
    assert_eq!(block_on(peer.closed()), reason);
}

#[test]
fn a_peer_is_closed_when_its_time_in_a_state_is_up_and_not_a_second_before() {
    for (state, limit, reason) in [
        (ConnectionState::New, 60, CloseReason::NeverConnected),
        (ConnectionState::Connecting, 60, CloseReason::NeverConnected),
        (ConnectionState::Disconnected, 30, CloseReason::Disconnected),
        (ConnectionState::Failed, 30, CloseReason::Failed),
    ] {
        let clock = ManualClock::new();
        let peers = on(&clock, ReaperOptions::new());
        let (peer, fake) = insert(&peers, Fake::new().state(state));
        is_left_alone(&clock, (limit - 1) * SECOND, &fake);
        assert_eq!(peer.close_reason(), None, "of one that is {state}");
        clock.advance(SECOND);
        is_closed(&peer, reason);
    }
}

#[test]
fn a_peer_that_connects_again_has_its_whole_time_anew() {
    let clock = ManualClock::new();
    let peers = on(&clock, ReaperOptions::new());
    let (peer, fake) = insert(&peers, Fake::new().state(ConnectionState::Disconnected));
    is_left_alone(&clock, 29 * SECOND, &fake);
    fake.set_state(ConnectionState::Connected);
    is_left_alone(&clock, SECOND, &fake);
    fake.set_state(ConnectionState::Disconnected);
    is_left_alone(&clock, SECOND, &fake);
    is_left_alone(&clock, 29 * SECOND, &fake);
    assert_eq!(peer.close_reason(), None);
    clock.advance(SECOND);
    is_closed(&peer, CloseReason::Disconnected);
}

#[test]
fn a_peer_that_is_connected_is_left_alone_for_ever_and_so_is_any_where_the_reaper_is_off() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let clock = ManualClock::new();
    let peers = on(&clock, ReaperOptions::new());
    let (peer, fake) = insert(&peers, Fake::new().state(ConnectionState::Connected));
    is_left_alone(&clock, DAY, &fake);
    assert_eq!(peer.close_reason(), None);
    let off = on(&clock, ReaperOptions::off());
    let (peer, fake) = insert(&off, Fake::new().state(ConnectionState::Failed));
    clock.advance(DAY);
    assert_eq!((peer.close_reason(), fake.goodbyes_asked()), (None, 0));
}

#[test]
fn a_connection_that_does_not_answer_is_still_closed_by_the_other_rules() {
    hush();
    for goodbye in [Goodbye::Panics, Goodbye::Hangs] {
        let clock = ManualClock::new();
        let peers = on(&clock, ReaperOptions::new());
        let rude = Fake::new().state(ConnectionState::Connected).goodbye(goodbye);
        let (peer, rude) = insert(&peers, rude);
        clock.advance(SECOND);
        until("it to be asked", || rude.goodbyes_asked() > 0);
        rude.set_state(ConnectionState::Failed);
        let closed = block_on(clock.advance_until(SECOND, peer.closed()));
        assert_eq!(closed, CloseReason::Failed, "of one whose answer {goodbye:?}");
    }
}
