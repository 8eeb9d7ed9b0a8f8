//! Peers that are closed without being asked, and those that are not.

#[cfg(feature = "webrtc")]
mod goodbye;
#[cfg(feature = "webrtc")]
mod network;
#[cfg(feature = "webrtc")]
mod side;

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseReason, ReaperOptions};
use anypeer::{ConnectionState, PeerOptions, Peers};

use crate::support::fake::{Fake, Goodbye};
use crate::support::panics::hush;
use crate::support::poll::{block_on, until};

/// A goodbye must be noticed by then.
#[cfg(feature = "webrtc")]
const NOTICED_WITHIN: Duration = Duration::from_millis(1500);

#[cfg(feature = "webrtc")]
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_connection_that_does_not_answer_is_still_closed_by_the_other_rules() {
    hush();
    let peers = Peers::builder().reaper(ReaperOptions::new().failed(Some(Duration::ZERO))).build();
    for goodbye in [Goodbye::Panics, Goodbye::Hangs] {
        let rude = Arc::new(Fake::new().state(ConnectionState::Connected).goodbye(goodbye));
        let peer = peers.insert(Arc::clone(&rude) as _, PeerOptions::new()).expect("inserted");
        until("it to be asked", || rude.goodbyes_asked() > 0);
        rude.set_state(ConnectionState::Failed);
        assert_eq!(block_on(peer.closed()), CloseReason::Failed, "where it {goodbye:?}");
    }
}
