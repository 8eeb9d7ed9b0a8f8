//! `TimelineEvent`: an event in the timeline of a connection.

use std::fmt;

use crate::candidate::{Candidate, Side};
use crate::named::named;
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, IceConnectionState, IceGatheringState, SdpType, SignalingState,
};
use crate::task::{TaskEnd, TaskId};

/// An event in the timeline of a connection. Its texts contain no secrets, and are cut if they are
/// too long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimelineEvent {
    /// The connection was registered.
    Opened,
    /// The connection's state changed.
    ConnectionState(ConnectionState),
    /// The ICE connection state changed.
    IceConnectionState(IceConnectionState),
    /// The ICE gathering state changed.
    IceGatheringState(IceGatheringState),
    /// The signaling state changed.
    SignalingState(SignalingState),
    /// The session has to be negotiated (`negotiationneeded` of the W3C).
    NegotiationNeeded,
    /// A description was set.
    Described {
        /// The side that the description belongs to.
        side: Side,
        /// The description's type.
        kind: SdpType,
        /// Whether the description restarts ICE.
        ice_restart: bool,
    },
    /// A candidate was gathered or added.
    Candidate {
        /// The side that the candidate belongs to.
        side: Side,
        /// The candidate.
        candidate: Box<Candidate>,
    },
    /// A STUN or TURN server could not be used.
    CandidateFailed {
        /// The STUN error code.
        code: u16,
        /// The error.
        message: Box<str>,
    },
    /// Another candidate pair was selected.
    SelectedPair,
    /// An alert ended a DTLS handshake.
    DtlsAlert {
        /// The side that sent the alert.
        side: Side,
        /// The alert's description (RFC 5246, section 7.2).
        description: u8,
    },
    /// A data channel was created.
    ChannelAdded {
        /// The channel's number.
        id: u64,
        /// The channel's label.
        label: Box<str>,
    },
    /// A data channel was closed.
    ChannelRemoved {
        /// The channel's number.
        id: u64,
    },
    /// A track was added.
    TrackAdded {
        /// The track's id.
        id: Box<str>,
    },
    /// A track was removed.
    TrackRemoved {
        /// The track's id.
        id: Box<str>,
    },
    /// A task of the peer was started.
    TaskAdded {
        /// The task's id.
        id: TaskId,
        /// The task's name.
        name: &'static str,
    },
    /// A task of the peer has ended.
    TaskRemoved {
        /// The task's id.
        id: TaskId,
        /// The task's name.
        name: &'static str,
        /// How the task ended.
        end: TaskEndKind,
    },
    /// An operation on the peer failed, a callback panicked, or tasks did not stop, with the
    /// error's text.
    Error(Box<str>),
    /// The callback with this name has held the connection's driver beyond its budget.
    HandlerStalled(&'static str),
    /// The callback with this name, which held the driver, has returned or was dropped.
    HandlerReturned(&'static str),
    /// A close was started.
    CloseStarted(CloseReason),
    /// A close did not end the connection, with the outcome's text.
    NotClosed(Box<str>),
    /// The connection has ended.
    Closed(CloseReason),
    /// All memory of the connection is free.
    Released,
}

impl TimelineEvent {
    /// Returns the level of the event, as in logs.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Error(_) | Self::NotClosed(_) | Self::HandlerStalled(_) => Level::Warn,
            Self::Opened | Self::Closed(_) => Level::Info,
            _ => Level::Debug,
        }
    }
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("opened"),
            Self::ConnectionState(state) => write!(f, "connection {state}"),
            Self::IceConnectionState(state) => write!(f, "ice {state}"),
            Self::IceGatheringState(state) => write!(f, "gathering {state}"),
            Self::SignalingState(state) => write!(f, "signaling {state}"),
            Self::NegotiationNeeded => f.write_str("negotiation needed"),
            Self::Described { side, kind, ice_restart: false } => write!(f, "{side} {kind}"),
            Self::Described { side, kind, ice_restart: true } => {
                write!(f, "{side} {kind}, restarting ICE")
            }
            Self::Candidate { side, candidate } => write!(f, "{side} candidate {candidate}"),
            Self::CandidateFailed { code, message } => {
                write!(f, "candidate error {code}: {message}")
            }
            Self::SelectedPair => f.write_str("another candidate pair"),
            Self::DtlsAlert { side, description } => write!(f, "{side} DTLS alert {description}"),
            Self::ChannelAdded { id, label } => write!(f, "channel {id} {label:?} added"),
            Self::ChannelRemoved { id } => write!(f, "channel {id} closed"),
            Self::TrackAdded { id } => write!(f, "track {id:?} added"),
            Self::TrackRemoved { id } => write!(f, "track {id:?} removed"),
            Self::TaskAdded { id, name } => write!(f, "{id} {name:?} started"),
            Self::TaskRemoved { id, name, end } => write!(f, "{id} {name:?} {}", end.as_str()),
            Self::Error(message) => write!(f, "error: {message}"),
            Self::HandlerStalled(callback) => write!(f, "{callback} holds the driver"),
            Self::HandlerReturned(callback) => write!(f, "{callback} has returned"),
            Self::CloseStarted(reason) => write!(f, "closing: {reason}"),
            Self::NotClosed(outcome) => write!(f, "not closed: {outcome}"),
            Self::Closed(reason) => write!(f, "closed: {reason}"),
            Self::Released => f.write_str("released"),
        }
    }
}

named! {
    /// The level of an event, as in logs.
    Level {
        /// The event helps to find the cause of another problem.
        Debug = "debug",
        /// The event is a normal part of operation.
        Info = "info",
        /// Something is wrong.
        Warn = "warn",
    }

    /// How a task ended: the name of its [`TaskEnd`].
    TaskEndKind {
        /// The task ran to its end.
        Completed = "completed",
        /// The task returned an error.
        Failed = "failed",
        /// The task panicked.
        Panicked = "panicked",
        /// The task was cancelled.
        Cancelled = "cancelled",
        /// The task's executor dropped it.
        Lost = "lost",
    }
}

impl From<&TaskEnd> for TaskEndKind {
    fn from(end: &TaskEnd) -> Self {
        match end {
            TaskEnd::Completed => Self::Completed,
            TaskEnd::Failed(_) => Self::Failed,
            TaskEnd::Panicked(_) => Self::Panicked,
            TaskEnd::Cancelled(_) => Self::Cancelled,
            TaskEnd::Lost => Self::Lost,
        }
    }
}
