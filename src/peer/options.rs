//! How a peer is opened, and how it is closed.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::close_options::CloseOptions;
use crate::runtime::Runtime;

/// How long a callback may hold its driver before that is told, unless another time is set.
///
/// While it does the connection stands still; after 5 s its remote side takes it for lost
/// (measured).
pub const DEFAULT_HANDLER_BUDGET: Duration = Duration::from_secs(1);

/// Which peers are closed without being asked, and when.
///
/// By default a peer is closed that never connects within a minute, has been Failed or
/// Disconnected for 30 s, or whose remote side has said goodbye. An ICE restart has these 30 s:
/// it takes a connection from Disconnected, and also from Failed, back to Connected.
///
/// A remote side that vanishes without a goodbye takes about 60 s by default: the `webrtc` crate says
/// Disconnected after 4 s and Failed after 29 s, where the limit of Failed begins. To notice it within
/// 10 s, set [`disconnected`](Self::disconnected) to 5 s, which is all that an ICE restart then has.
///
/// A connection that does not tell its [state](crate::Peer::connection_state)
/// is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaperOptions {
    pub(super) never_connected: Option<Duration>,
    pub(super) disconnected: Option<Duration>,
    pub(super) failed: Option<Duration>,
    pub(super) goodbye: bool,
}

impl ReaperOptions {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            never_connected: Some(Duration::from_secs(60)),
            disconnected: Some(Duration::from_secs(30)),
            failed: Some(Duration::from_secs(30)),
            goodbye: true,
        }
    }

    /// Nothing is closed without being asked.
    #[must_use]
    pub const fn off() -> Self {
        Self { never_connected: None, disconnected: None, failed: None, goodbye: false }
    }

    /// How long after its opening a peer may still have to connect for the first time; `None` for
    /// ever.
    #[must_use]
    pub const fn never_connected(mut self, limit: Option<Duration>) -> Self {
        self.never_connected = limit;
        self
    }

    /// How long a peer may be Disconnected; `None` for ever. Less than 30 s takes away from what
    /// an ICE restart has.
    #[must_use]
    pub const fn disconnected(mut self, limit: Option<Duration>) -> Self {
        self.disconnected = limit;
        self
    }

    /// How long a peer may be Failed; `None` for ever. Less than 30 s takes away from what an ICE
    /// restart has.
    #[must_use]
    pub const fn failed(mut self, limit: Option<Duration>) -> Self {
        self.failed = limit;
        self
    }

    /// Whether to close a peer whose remote side has said goodbye.
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

/// How a peer is registered. Everything has a default.
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
    /// A generated id, no group, the runtime and the other options of the [`Peers`](crate::Peers).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The peer's id: 1 to 256 bytes, not that of another open peer.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The group that the peer belongs to: 1 to 256 bytes.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The runtime that the connection runs on.
    #[must_use]
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// When the peer is closed without being asked.
    #[must_use]
    pub fn reaper(mut self, reaper: ReaperOptions) -> Self {
        self.reaper = Some(reaper);
        self
    }

    /// How long one callback of the application's handler may hold the connection's driver before
    /// that is told: see [`EventKind::HandlerStalled`](crate::EventKind::HandlerStalled). It goes on.
    #[must_use]
    pub fn handler_budget(mut self, budget: Duration) -> Self {
        self.handler_budget = Some(budget);
        self
    }

    /// What the application knows of the peer, for [`Peer::data`](crate::Peer::data): a user, a role,
    /// what a signalling session needs. A map of peers beside [`Peers`](crate::Peers) is then not
    /// needed. It is dropped with the last reference to the peer after its end.
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

    /// The bounds of every close of this peer.
    #[must_use]
    pub fn close(mut self, close: CloseOptions) -> Self {
        self.close = Some(close);
        self
    }
}
