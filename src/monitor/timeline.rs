//! What happened to a connection, in its order.

use std::fmt;
use std::time::Instant;

use crate::candidate::{Candidate, Side};
use crate::named::named;
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, IceConnectionState, IceGatheringState, SdpType, SignalingState,
};
use crate::task::{TaskEnd, TaskId};

/// Something that happened to a connection, as it is kept: without secrets, texts cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// It was registered.
    Opened,
    /// Its state changed.
    ConnectionState(ConnectionState),
    /// The state of ICE changed.
    IceConnectionState(IceConnectionState),
    /// The state of gathering changed.
    IceGatheringState(IceGatheringState),
    /// The state of signaling changed.
    SignalingState(SignalingState),
    /// The session has to be negotiated.
    NegotiationNeeded,
    /// A description was set.
    Described {
        /// Whose.
        side: Side,
        /// Its type.
        kind: SdpType,
        /// Whether it restarts ICE.
        ice_restart: bool,
    },
    /// A candidate was learnt of.
    Candidate {
        /// Whose.
        side: Side,
        /// Which.
        candidate: Box<Candidate>,
    },
    /// A STUN or TURN server could not be used.
    CandidateFailed {
        /// STUN's error code.
        code: u16,
        /// The error.
        message: Box<str>,
    },
    /// Another pair of candidates is used.
    SelectedPair,
    /// An alert ended a DTLS handshake.
    DtlsAlert {
        /// Who sent it.
        side: Side,
        /// What it says.
        description: u8,
    },
    /// A data channel was made.
    ChannelAdded {
        /// Its number.
        id: u64,
        /// Its label.
        label: Box<str>,
    },
    /// A data channel is closed.
    ChannelRemoved {
        /// Its number.
        id: u64,
    },
    /// A track was added.
    TrackAdded {
        /// Its id.
        id: Box<str>,
    },
    /// A track is not sent any more.
    TrackRemoved {
        /// Its id.
        id: Box<str>,
    },
    /// A task of its own was started.
    TaskAdded {
        /// Its id.
        id: TaskId,
        /// Its name.
        name: &'static str,
    },
    /// A task of its own has ended.
    TaskRemoved {
        /// Its id.
        id: TaskId,
        /// Its name.
        name: &'static str,
        /// How it ended.
        end: TaskOutcome,
    },
    /// Something failed.
    Error(Box<str>),
    /// A callback of the application's holds the driver.
    HandlerStalled(&'static str),
    /// A close was begun.
    CloseStarted(CloseReason),
    /// A close did not close.
    NotClosed(Box<str>),
    /// The connection has ended.
    Closed(CloseReason),
    /// Its memory is free.
    Released,
}

impl fmt::Display for Happening {
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
            Self::CloseStarted(reason) => write!(f, "closing: {reason}"),
            Self::NotClosed(outcome) => write!(f, "not closed: {outcome}"),
            Self::Closed(reason) => write!(f, "closed: {reason}"),
            Self::Released => f.write_str("released"),
        }
    }
}

named! {
    /// How a task ended, in short.
    TaskOutcome {
        /// It ran to its end.
        Completed = "completed",
        /// It returned an error.
        Failed = "failed",
        /// It panicked.
        Panicked = "panicked",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// Its executor dropped it.
        Lost = "lost",
    }
}

impl From<&TaskEnd> for TaskOutcome {
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

/// One entry of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Instant,
    pub(crate) what: Happening,
}
