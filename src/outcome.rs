//! What became of a close.

use std::fmt;
use std::time::Duration;

use crate::named::named;

/// The end of a close, and always the truth of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The connection's driver has ended and its sockets are gone. (In a callback that blocks its
    /// thread the driver cannot end: see [`ForceCause::HandlerStalled`].)
    Closed(CloseMode),
    /// The peer was closed before this was asked. (Where the connection ended by itself, the first
    /// who closes it is told how it ended: [`Closed`](Self::Closed).)
    AlreadyClosed,
    /// No peer of that id is known. Nothing was closed.
    NotFound,
    /// Awaited inside a callback of the peer's own handler: the driver can end only after the
    /// callback returns, and then will. The close goes on.
    InOwnHandler,
    /// It did not close within the bound; it may be closed again.
    TimedOut {
        /// The bound.
        after: Duration,
    },
    /// Everything was asked for, and whether it happened cannot be seen: the connection is
    /// somebody else's. Whoever closes it again is told the same.
    Unconfirmed,
    /// It did not close, and says why; it may be closed again.
    Failed(CloseFailure),
}

impl Outcome {
    /// Whether the connection is known to be gone: closed now, or before.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::AlreadyClosed)
    }
}

impl Outcome {
    /// An outcome as the result of an operation: an error if the connection is known not to be
    /// closed.
    ///
    /// # Errors
    ///
    /// [`NotClosed`], with the outcome.
    pub fn into_result(self) -> Result<Self, NotClosed> {
        match self {
            Self::Closed(_) | Self::AlreadyClosed | Self::Unconfirmed => Ok(self),
            Self::NotFound | Self::InOwnHandler | Self::TimedOut { .. } | Self::Failed(_) => {
                Err(NotClosed(self))
            }
        }
    }
}

/// A close did not close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotClosed(pub Outcome);

impl fmt::Display for NotClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotClosed {}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(mode) => write!(f, "closed, {mode}"),
            Self::AlreadyClosed => f.write_str("already closed"),
            Self::NotFound => f.write_str("not found"),
            Self::InOwnHandler => f.write_str("closing when the handler's callback returns"),
            Self::TimedOut { after } => write!(f, "timed out after {after:?}"),
            Self::Unconfirmed => f.write_str("unconfirmed"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseMode {
    /// In order: the remote side was told.
    Graceful,
    /// By taking its driver and its sockets away. The remote side is told nothing: it finds out by
    /// its own timeouts, which are 29 s of the `webrtc` crate's (measured) and those of its
    /// [`ReaperOptions`](crate::peer::ReaperOptions).
    Forced(ForceCause),
}

impl fmt::Display for CloseMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graceful => f.write_str("graceful"),
            Self::Forced(cause) => write!(f, "forced ({cause})"),
        }
    }
}

/// Why a connection did not end in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForceCause {
    /// The driver did not end within the grace period: nobody runs its executor, or something
    /// holds it.
    Unresponsive,
    /// The application's handler was holding the driver, in this callback: the graceful close could
    /// not go on, or an abort has waited for it in vain.
    ///
    /// The sockets are gone. If the callback blocks its thread, the driver and the handler are
    /// dropped when it returns: nothing can take them from under it.
    HandlerStalled(&'static str),
    /// The executor dropped the driver.
    RuntimeGone,
    /// The driver panicked.
    DriverPanicked,
    /// The driver ended by itself, before anybody asked.
    DriverEnded,
    /// The graceful close failed.
    Failed(CloseFailure),
    /// The connection was still being built.
    NotBuilt,
    /// It was asked for: by [`Peer::abort`](crate::Peer::abort), or by a close without a grace
    /// period. The remote side is told nothing.
    Aborted,
}

impl fmt::Display for ForceCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresponsive => f.write_str("the driver did not end in time"),
            Self::HandlerStalled(callback) => {
                write!(f, "the handler held the driver in {callback}")
            }
            Self::RuntimeGone => f.write_str("the executor dropped the driver"),
            Self::DriverPanicked => f.write_str("the driver panicked"),
            Self::DriverEnded => f.write_str("the driver ended by itself"),
            Self::Failed(failure) => write!(f, "the graceful close failed: {failure}"),
            Self::NotBuilt => f.write_str("it was still being built"),
            Self::Aborted => f.write_str("it was aborted"),
        }
    }
}

/// Why a connection's own close did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseFailure {
    /// It returned an error, with this message.
    Error(String),
    /// It panicked, with this message.
    Panicked(String),
    /// The peer's runtime refused or dropped it.
    Lost,
}

impl fmt::Display for CloseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(message) => f.write_str(message),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Lost => f.write_str("its runtime dropped it"),
        }
    }
}

named! {
    /// Who asked for a close, or what ended the connection.
    CloseReason {
        /// The peer was closed by its handle or its id.
        Requested = "requested",
        /// Its group was closed.
        GroupClosed = "group_closed",
        /// All peers were closed.
        AllClosed = "all_closed",
        /// Its [`Peers`](crate::Peers) was shut down.
        Shutdown = "shutdown",
        /// Its last owner was dropped.
        Dropped = "dropped",
        /// The last handle to its [`Peers`](crate::Peers) was dropped.
        PeersDropped = "peers_dropped",
        /// Building the connection failed or was cancelled.
        OpenCancelled = "open_cancelled",
        /// Its remote side said goodbye.
        RemoteClosed = "remote_closed",
        /// It did not connect within the limit of its [`ReaperOptions`](crate::peer::ReaperOptions).
        NeverConnected = "never_connected",
        /// It was Disconnected for longer than they allow.
        Disconnected = "disconnected",
        /// It was Failed for longer than they allow.
        Failed = "failed",
        /// The connection ended by itself: its driver ended, panicked, or was dropped by its
        /// executor.
        Ended = "ended",
    }
}

impl CloseReason {
    /// Whether nobody asked: the reaper closed it, for what `webrtc_connections_reaped_total` is.
    #[must_use]
    pub const fn is_reaped(self) -> bool {
        matches!(
            self,
            Self::RemoteClosed | Self::NeverConnected | Self::Disconnected | Self::Failed
        )
    }
}
