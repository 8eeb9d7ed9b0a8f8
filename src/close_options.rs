//! The timeout and the grace period of closes.

use std::time::Duration;

/// The default timeout of a close; see [`CloseOptions::timeout`].
pub const DEFAULT_CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The default grace period of a close; see [`CloseOptions::grace`].
///
/// A graceful close of a connection of the `webrtc` crate usually takes 0.3 ms, and took 4.4 ms at
/// most (measured). Hundreds of concurrent closes on a loaded machine take a second. A graceful
/// close that has not ended after 1.5 s is unlikely to end.
pub const DEFAULT_GRACE: Duration = Duration::from_millis(1500);

/// The timeout and the grace period of a close, for a peer or for a group of tasks.
///
/// A close first tries to end the connection gracefully. At the end of the grace period the close
/// is forced, and at the end of the timeout it has an outcome in any case. Set these options for
/// all peers of a set ([`PeersBuilder::close`](crate::peer::PeersBuilder::close)), for one peer
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

    /// Sets the time after which the close has its outcome; [`DEFAULT_CLOSE_TIMEOUT`] by default.
    ///
    /// A forced close always has at least 100 ms, and so has the wait for the peer's tasks after
    /// the close. If these times extend beyond the timeout, the close ends later than its timeout,
    /// by 200 ms at most.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long the close may be graceful before it is forced; [`DEFAULT_GRACE`] by default. A
    /// grace period longer than three quarters of the timeout is shortened to that, so that there
    /// is time to force the close. Zero forces the close at once.
    ///
    /// [Cooperative](crate::task::TaskBuilder::cooperative) tasks that have not ended by the end of
    /// the grace period are dropped.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The timeout, and the grace period that is used within it.
    pub(crate) fn bounds(self) -> (Duration, Duration) {
        (self.timeout, self.grace.min(self.timeout / 4 * 3))
    }
}

impl Default for CloseOptions {
    fn default() -> Self {
        Self::new()
    }
}
