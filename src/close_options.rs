//! The bounds of closes.

use std::time::Duration;

/// The whole bound of a close, unless another one is set.
pub const DEFAULT_CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a graceful close may take before it is forced, unless another time is set.
///
/// A graceful close of the `webrtc` crate takes 0.3 ms, and 4.4 ms at most (measured). Hundreds of
/// concurrent closes on a loaded machine take a second. A close that has not ended by then is
/// unlikely to end.
pub const DEFAULT_GRACE: Duration = Duration::from_millis(1500);

/// The bounds of a close of a peer or of a group of tasks.
///
/// Set them for all peers ([`PeersBuilder::close`](crate::peer::PeersBuilder::close)), for one peer
/// ([`PeerOptions::close`](crate::PeerOptions::close)), or for one close
/// ([`Peer::close_with`](crate::Peer::close_with)):
///
/// ```
/// use std::time::Duration;
/// use anypeer::peer::CloseOptions;
/// use anypeer::{Outcome, Peer, Peers};
///
/// let patient = CloseOptions::new().timeout(Duration::from_secs(9)).grace(Duration::from_secs(3));
/// let peers = Peers::builder().close(patient).build();
///
/// /// Closes a peer within 2 s, of which the first 0.5 s are for a graceful close.
/// async fn close_quickly(peer: &Peer) -> Outcome {
///     let quick = CloseOptions::new().timeout(Duration::from_secs(2));
///     peer.close_with(quick.grace(Duration::from_millis(500))).await
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseOptions {
    timeout: Duration,
    grace: Duration,
}

impl CloseOptions {
    /// Returns the defaults, [`DEFAULT_CLOSE_TIMEOUT`] and [`DEFAULT_GRACE`].
    #[must_use]
    pub const fn new() -> Self {
        Self { timeout: DEFAULT_CLOSE_TIMEOUT, grace: DEFAULT_GRACE }
    }

    /// Sets the bound of the whole close: after this time, the close has its outcome.
    ///
    /// A forced close has at least 100 ms, and so has the wait for the peer's tasks after it. A
    /// close can therefore end up to 200 ms after a timeout that leaves no time for them.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long the close may be graceful before it is forced. At most three quarters of the
    /// timeout are used, so that there is time to force the close. Zero forces it at once.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The timeout, and the grace period within it.
    pub(crate) fn bounds(self) -> (Duration, Duration) {
        (self.timeout, self.grace.min(self.timeout / 4 * 3))
    }
}

impl Default for CloseOptions {
    fn default() -> Self {
        Self::new()
    }
}
