//! The outcome of a close.

use std::fmt;
use std::time::Duration;

use crate::named::named;

/// The outcome of the close of one peer. It reports only what was observed.
///
/// ```
/// use anypeer::Outcome;
/// use anypeer::peer::{CloseMode, ForceCause};
///
/// fn describe(outcome: &Outcome) -> String {
///     match outcome {
///         Outcome::Closed(CloseMode::Graceful) | Outcome::AlreadyClosed => "closed".into(),
///         // The connection has ended, but the remote side was not notified.
///         Outcome::Closed(CloseMode::Forced(cause)) => format!("closed by force: {cause}"),
///         Outcome::NotFound => "there is no such peer".into(),
///         other => format!("not known to be closed: {other}"),
///     }
/// }
/// assert_eq!(describe(&Outcome::Closed(CloseMode::Graceful)), "closed");
/// let aborted = Outcome::Closed(CloseMode::Forced(ForceCause::Aborted));
/// assert_eq!(describe(&aborted), "closed by force: it was aborted");
/// assert!(aborted.is_closed());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The connection has ended: its driver has ended, and its sockets are closed.
    ///
    /// There is one exception. If a callback of the handler blocks its thread, the driver cannot
    /// end before the callback returns. The forced close then closes the sockets, and ends before
    /// the driver does. Its outcome has the cause [`ForceCause::HandlerStalled`]. The same holds if
    /// other code blocks the driver, such as an observer; the cause is then another one, usually
    /// [`ForceCause::Unresponsive`].
    Closed(CloseMode),
    /// The peer was closed before.
    ///
    /// If the connection ended by itself, the first close of the peer returns
    /// [`Closed`](Self::Closed) with the way in which the connection ended, and further closes
    /// return `AlreadyClosed`. For a [detached](crate::Peer::detach) peer, the set makes the first
    /// close.
    AlreadyClosed,
    /// The set knows no peer with that id. Nothing was closed.
    NotFound,
    /// The close was awaited inside a callback of the peer's own handler. The driver can end only
    /// after the callback has returned, so the close goes on without being awaited.
    InOwnHandler,
    /// The connection did not close within the timeout of the close, and could not be forced. The
    /// peer is still open, and may be closed again.
    ///
    /// Only an adopted connection or a connection of another stack can have this outcome, if its
    /// own close hangs. A connection from `webrtc::open` or `webrtc::instrument` can always be
    /// forced.
    TimedOut {
        /// The timeout of the close.
        after: Duration,
    },
    /// The connection was asked to close, but its end cannot be observed, because the connection
    /// was adopted or its stack does not report the end. A further close has the same outcome.
    Unconfirmed,
    /// The connection's own close failed, and the connection could not be forced. The peer is still
    /// open, and may be closed again.
    ///
    /// As with [`TimedOut`](Self::TimedOut), only an adopted connection or a connection of another
    /// stack can have this outcome.
    Failed(CloseFailure),
}

impl Outcome {
    /// Whether the connection is known to be closed, by this close or before.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::AlreadyClosed)
    }

    /// The outcome of a further close of an ended peer. `seen` says whether the end was observed.
    pub(crate) const fn of_ended(seen: bool) -> Self {
        if seen { Self::AlreadyClosed } else { Self::Unconfirmed }
    }
}

impl Outcome {
    /// Converts the outcome into a `Result`, which is an error if the connection was not closed.
    /// [`Unconfirmed`](Self::Unconfirmed) is not an error.
    ///
    /// ```
    /// use anypeer::Peer;
    /// use anypeer::peer::NotClosed;
    ///
    /// async fn hang_up(peer: &Peer) -> Result<(), NotClosed> {
    ///     peer.close().await.into_result()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotClosed`] with the outcome for [`NotFound`](Self::NotFound),
    /// [`InOwnHandler`](Self::InOwnHandler), [`TimedOut`](Self::TimedOut) and
    /// [`Failed`](Self::Failed).
    pub fn into_result(self) -> Result<Self, NotClosed> {
        match self {
            Self::Closed(_) | Self::AlreadyClosed | Self::Unconfirmed => Ok(self),
            Self::NotFound | Self::InOwnHandler | Self::TimedOut { .. } | Self::Failed(_) => {
                Err(NotClosed(self))
            }
        }
    }
}

/// The error of a close that did not close its peer, with the outcome of that close.
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
            Self::InOwnHandler => f.write_str("will close when the handler's callback returns"),
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
    /// Gracefully: the remote side was notified.
    Graceful,
    /// By force: the driver and the sockets were dropped, and the remote side was not notified. A
    /// remote side with the `webrtc` crate reports the connection as Failed after 29 s (measured).
    /// If that side uses anypeer too, its reaper then closes the connection
    /// ([`ReaperOptions::failed`](crate::peer::ReaperOptions::failed)).
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

/// The reason why a connection did not end gracefully.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForceCause {
    /// The driver did not end within the grace period, because its executor is not being run, or
    /// something other than a callback blocks the driver.
    Unresponsive,
    /// A callback of the application's handler held the driver; the text is the callback's name.
    /// Either the callback held up the graceful close, or it did not release the driver within
    /// 100 ms of an abort.
    ///
    /// The sockets are closed. If the callback blocks its thread, the driver and the handler are
    /// dropped when the callback returns, since they cannot be dropped while the callback runs.
    HandlerStalled(&'static str),
    /// The executor dropped the driver.
    RuntimeGone,
    /// The driver panicked.
    DriverPanicked,
    /// The driver ended before the peer was closed. Usually the application has called
    /// `PeerConnection::close` instead of closing the [`Peer`](crate::Peer).
    DriverEnded,
    /// The graceful close failed, and the forced close succeeded.
    Failed(CloseFailure),
    /// The connection was still being built.
    NotBuilt,
    /// The caller asked for a forced close, by [`Peer::abort`](crate::Peer::abort) or by a close
    /// with a grace period of zero.
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

/// The reason why a connection's own close failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseFailure {
    /// The close returned an error, with this message.
    Error(String),
    /// The close panicked, with this message.
    Panicked(String),
    /// The peer's runtime refused or dropped the close.
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
    /// The reason of a close: who asked for the close, or what ended the connection.
    CloseReason {
        /// The application closed the peer, through a [`Peer`](crate::Peer) or by its id.
        Requested = "requested",
        /// The peer's group was closed ([`Peers::close_group`](crate::Peers::close_group)).
        GroupClosed = "group_closed",
        /// All peers were closed ([`Peers::close_all`](crate::Peers::close_all)).
        AllClosed = "all_closed",
        /// The peer's [`Peers`](crate::Peers) was shut down.
        Shutdown = "shutdown",
        /// The peer's last owner was dropped.
        Dropped = "dropped",
        /// The last handle to the peer's [`Peers`](crate::Peers) was dropped.
        PeersDropped = "peers_dropped",
        /// Building the connection failed or was cancelled.
        OpenCancelled = "open_cancelled",
        /// The remote side closed the connection, and the reaper noticed that.
        RemoteClosed = "remote_closed",
        /// The connection did not connect within the limit of its
        /// [`ReaperOptions`](crate::peer::ReaperOptions).
        NeverConnected = "never_connected",
        /// The connection was Disconnected for longer than its
        /// [`ReaperOptions`](crate::peer::ReaperOptions) allow.
        Disconnected = "disconnected",
        /// The connection was Failed for longer than its
        /// [`ReaperOptions`](crate::peer::ReaperOptions) allow.
        Failed = "failed",
        /// The connection ended by itself: its driver ended, panicked, or was dropped by its
        /// executor.
        Ended = "ended",
    }
}

impl CloseReason {
    /// Whether the reaper closed the connection. The metric `webrtc_connections_reaped_total`
    /// (feature `metrics`) counts these connections.
    #[must_use]
    pub const fn is_reaped(self) -> bool {
        matches!(
            self,
            Self::RemoteClosed | Self::NeverConnected | Self::Disconnected | Self::Failed
        )
    }
}
