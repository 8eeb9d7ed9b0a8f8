//! The state of a connection, in the terms of W3C webrtc-pc.

use std::fmt;

/// `RTCPeerConnectionState` (W3C webrtc-pc, section 4.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// No transport has been tried yet.
    New,
    /// At least one transport is being established.
    Connecting,
    /// Every transport in use is connected.
    Connected,
    /// A transport lost its connection, and may get it back.
    Disconnected,
    /// A transport has failed.
    Failed,
    /// The connection is closed: its driver and its sockets are gone.
    Closed,
}

impl ConnectionState {
    /// The W3C name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
