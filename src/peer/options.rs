//! Options of a peer, and of its reaper.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::close_options::CloseOptions;
use crate::runtime::Runtime;

/// How long a callback may hold the driver of its connection by default, before the callback is
/// reported as stalled; see [`PeerOptions::handler_budget`].
///
/// While a callback holds the driver, nothing is sent or received on the connection. After 4 to
/// 5 s without packets the remote side reports the connection as Disconnected (measured).
pub const DEFAULT_HANDLER_BUDGET: Duration = Duration::from_secs(1);

/// The rules of the reaper, the part of anypeer that closes dead peers which nobody else closes.
///
/// By default the reaper closes a peer
///
/// - that was never connected, and is still New or Connecting 60 s after its opening,
/// - that has been Disconnected for 30 s, or Failed for 30 s, or
/// - whose remote side has closed the connection (the *goodbye*), which the reaper notices within
///   1.5 s.
///
/// The 30 s leave time for an ICE restart, which can take a connection from Disconnected or Failed
/// back to Connected.
///
/// ```
/// use std::time::Duration;
/// use anypeer::Peers;
/// use anypeer::peer::ReaperOptions;
///
/// // For a public endpoint, where anybody may send offers and never connect.
/// let reaper = ReaperOptions::new().never_connected(Some(Duration::from_secs(20)));
/// let peers = Peers::builder().reaper(reaper).build();
/// ```
///
/// By default, a peer whose remote side disappears without a goodbye is closed after about 60 s:
/// the `webrtc` crate reports Disconnected after 4 to 5 s and Failed after 29 s (measured), and the
/// 30 s in the state Failed begin then. To close such a peer within 10 s, set
/// [`disconnected`](Self::disconnected) to 5 s. An ICE restart then has only these 5 s.
///
/// If a close by the reaper fails, the reaper tries again after 0.75 s, and then waits twice as
/// long each time, up to 300 s.
///
/// If a connection does not report its [state](crate::Peer::connection_state), the reaper can apply
/// only the rule for the goodbye. It can apply no rule to an adopted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaperOptions {
    pub(super) never_connected: Option<Duration>,
    pub(super) disconnected: Option<Duration>,
    pub(super) failed: Option<Duration>,
    pub(super) goodbye: bool,
}

impl ReaperOptions {
    /// Returns the default rules, which are listed [above](Self).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            never_connected: Some(Duration::from_secs(60)),
            disconnected: Some(Duration::from_secs(30)),
            failed: Some(Duration::from_secs(30)),
            goodbye: true,
        }
    }

    /// Returns options without any rule: the reaper neither checks nor closes the peer.
    #[must_use]
    pub const fn off() -> Self {
        Self { never_connected: None, disconnected: None, failed: None, goodbye: false }
    }

    /// Sets how long a peer may take, from its opening, to connect for the first time; 60 s by
    /// default. `None` means no limit. The limit applies while the peer is New or Connecting; for a
    /// peer that has Failed, [`failed`](Self::failed) applies instead.
    #[must_use]
    pub const fn never_connected(mut self, limit: Option<Duration>) -> Self {
        self.never_connected = limit;
        self
    }

    /// Sets how long a peer may be Disconnected; 30 s by default. `None` means no limit. An ICE
    /// restart has to succeed within this time.
    #[must_use]
    pub const fn disconnected(mut self, limit: Option<Duration>) -> Self {
        self.disconnected = limit;
        self
    }

    /// Sets how long a peer may be Failed; 30 s by default. `None` means no limit. An ICE restart
    /// has to succeed within this time.
    #[must_use]
    pub const fn failed(mut self, limit: Option<Duration>) -> Self {
        self.failed = limit;
        self
    }

    /// Sets whether to close a peer whose remote side has closed the connection (DTLS
    /// `close_notify`, or the end of the SCTP association); on by default. The reaper checks for
    /// this every 0.75 s, and notices it within 1.5 s.
    #[must_use]
    pub const fn goodbye(mut self, close: bool) -> Self {
        self.goodbye = close;
        self
    }
}

impl Default for ReaperOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Options of a peer. Every option has a default.
///
/// ```
/// use std::time::Duration;
/// use anypeer::peer::{CloseOptions, ReaperOptions};
/// use anypeer::{PeerOptions, Peers};
///
/// let options = PeerOptions::new()
///     .id("camera")
///     .group("room 1")
///     .reaper(ReaperOptions::new().failed(Some(Duration::from_secs(5))))
///     .close(CloseOptions::new().timeout(Duration::from_secs(2)));
///
/// let peers = Peers::new();
/// let reservation = peers.reserve(options)?; // Or `webrtc::open`, or `Peers::insert`.
/// assert_eq!(reservation.id().as_str(), "camera");
/// # Ok::<(), anypeer::peer::InsertError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PeerOptions {
    pub(super) id: Option<String>,
    pub(super) group: Option<String>,
    pub(super) runtime: Option<Runtime>,
    pub(super) close: Option<CloseOptions>,
    pub(super) reaper: Option<ReaperOptions>,
    pub(super) handler_budget: Option<Duration>,
    pub(super) data: Option<Arc<dyn Any + Send + Sync>>,
}

impl PeerOptions {
    /// Returns the defaults: a generated id, no group, and the runtime and the other options of the
    /// [`Peers`](crate::Peers).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the peer's id: 1 to 256 bytes of UTF-8, and not the id of another open peer of the set.
    /// By default an id is [generated](crate::PeerId::generate). An id that is empty, too long,
    /// or in use is refused when the peer is opened, with
    /// [`InsertError::Id`](crate::peer::InsertError::Id) or
    /// [`InsertError::Duplicate`](crate::peer::InsertError::Duplicate).
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the id of the group that the peer belongs to: 1 to 256 bytes of UTF-8. Any other length
    /// is refused when the peer is opened, with [`InsertError::Id`](crate::peer::InsertError::Id).
    /// By default the peer belongs to no group. [`Peers::close_group`](crate::Peers::close_group)
    /// closes the peers of a group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Sets the runtime on which the connection and the peer's tasks run. The default is the
    /// runtime of the set; see [`PeersBuilder::runtime`](crate::peer::PeersBuilder::runtime).
    #[must_use]
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// Sets the rules by which the reaper closes the peer, in place of the rules of the set.
    #[must_use]
    pub fn reaper(mut self, reaper: ReaperOptions) -> Self {
        self.reaper = Some(reaper);
        self
    }

    /// Sets how long one callback of the application's handler may hold the connection's driver
    /// before the callback is reported as
    /// [`EventKind::HandlerStalled`](crate::EventKind::HandlerStalled). The callback is not
    /// cancelled. The budget is watched only if an observer or a monitor is attached. The default
    /// is that of the set; see
    /// [`PeersBuilder::handler_budget`](crate::peer::PeersBuilder::handler_budget).
    #[must_use]
    pub fn handler_budget(mut self, budget: Duration) -> Self {
        self.handler_budget = Some(budget);
        self
    }

    /// Stores a value of the application in the peer, such as a user, a role, or the state of a
    /// signalling session. [`Peer::data`](crate::Peer::data) returns the value, so the application
    /// needs no map of its own besides [`Peers`](crate::Peers). The value is dropped when the peer
    /// has ended and its last [`Peer`](crate::Peer) was dropped.
    ///
    /// ```
    /// use anypeer::{PeerOptions, Peers};
    ///
    /// struct Session {
    ///     user: String,
    /// }
    ///
    /// fn options(user: String) -> PeerOptions {
    ///     PeerOptions::new().data(Session { user })
    /// }
    ///
    /// fn user(peers: &Peers, id: &str) -> Option<String> {
    ///     Some(peers.get(id)?.data::<Session>()?.user.clone())
    /// }
    /// ```
    #[must_use]
    pub fn data<T: Any + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(Arc::new(data));
        self
    }

    /// Sets the timeout and the grace period of the closes of this peer, in place of those of the
    /// set. [`Peer::close_with`](crate::Peer::close_with) sets them for one close.
    #[must_use]
    pub fn close(mut self, close: CloseOptions) -> Self {
        self.close = Some(close);
        self
    }
}
