//! Options of WHIP sessions.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Options of WHIP sessions; see [`ApiBuilder::sessions`](crate::http::ApiBuilder::sessions). Every
/// option has a default.
///
/// ```
/// use anypeer::Peers;
/// use anypeer::http::{Api, SessionOptions};
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// let sessions = SessionOptions::new().max_sessions(10);
/// let api = Api::builder(&peers, &monitor).sessions(sessions).build()?;
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionOptions {
    pub(super) address: IpAddr,
    pub(super) max_sessions: usize,
    pub(super) connect_within: Duration,
    pub(super) max_offer_bytes: usize,
}

impl SessionOptions {
    /// Returns the defaults: sockets are bound to the IPv4 loopback address, at most 256 sessions
    /// exist at the same time, each has 20 s to connect, and an offer has at most 64 KiB.
    pub fn new() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            max_sessions: 256,
            connect_within: Duration::from_secs(20),
            max_offer_bytes: 64 << 10,
        }
    }

    /// Sets the address that the connections' sockets are bound to; the IPv4 loopback address by
    /// default, which only clients on the same machine can reach. Only candidates of that address
    /// are gathered.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets how many sessions may exist at the same time; 256 by default. A further offer is
    /// answered with status 503.
    pub fn max_sessions(mut self, limit: usize) -> Self {
        self.max_sessions = limit;
        self
    }

    /// Sets how long a session may take to connect; 20 s by default. A session that takes longer is
    /// closed.
    pub fn connect_within(mut self, limit: Duration) -> Self {
        self.connect_within = limit;
        self
    }

    /// Sets the maximum length of an offer, and of a fragment with candidates, in bytes; 64 KiB by
    /// default. A longer one is answered with status 413.
    pub fn max_offer_bytes(mut self, limit: usize) -> Self {
        self.max_offer_bytes = limit;
        self
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self::new()
    }
}
