//! Errors in opening a session.

use std::error::Error;
use std::fmt;

use super::offer::OfferError;
use super::secret::NoRandomness;
use crate::http::edge::problem::with_causes;
use crate::peer::InsertError;
use crate::webrtc::{OpenError, OperationError};

/// The reason why a session was not opened. If there was a connection, it is closed.
///
/// The text is sent to the client, so it must not reveal how the server is set up.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The offer is not valid.
    Offer(OfferError),
    /// The limit of concurrent sessions is reached.
    Full,
    /// The system provides no random numbers.
    Random,
    /// The connection could not be opened.
    Open(OpenError),
    /// The offer cannot be answered, for the given reason.
    Answer(String),
    /// The peer was closed before its SDP answer was ready.
    Closed,
    /// The SDP answer was not ready in time.
    TimedOut,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer(error) => return error.fmt(f),
            Self::Answer(reason) => return write!(f, "The offer cannot be answered: {reason}"),
            Self::Full => "There are too many sessions",
            Self::Random => "The server cannot generate random numbers",
            Self::Closed | Self::Open(OpenError::Closed(_)) => {
                "The session was closed before its SDP answer was ready"
            }
            Self::TimedOut => "The SDP answer was not ready in time",
            Self::Open(OpenError::Insert(error)) => match error {
                InsertError::Id(_) => "The stream's name is not valid",
                InsertError::Duplicate(_) => "The session's id is in use",
                InsertError::Full { .. } => "There are too many connections",
                InsertError::GroupFull { .. } => "There are too many connections in this stream",
                InsertError::Draining => "The server does not accept new sessions",
                InsertError::ShutDown => "The server is shutting down",
                InsertError::Start(_) => "The server cannot start a thread",
            },
            Self::Open(OpenError::NoCryptoProvider) => "The server has no crypto provider",
            Self::Open(OpenError::RuntimeGone) => "The connection's executor has stopped",
            Self::Open(OpenError::Build(_) | OpenError::NotInstrumented) => {
                "The connection could not be built"
            }
        })
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open(OpenError::Insert(error)) => error.source(),
            Self::Open(error) => error.source(),
            Self::Offer(_)
            | Self::Full
            | Self::Random
            | Self::Answer(_)
            | Self::Closed
            | Self::TimedOut => None,
        }
    }
}

impl From<OfferError> for SessionError {
    fn from(error: OfferError) -> Self {
        Self::Offer(error)
    }
}

impl From<NoRandomness> for SessionError {
    fn from(_: NoRandomness) -> Self {
        Self::Random
    }
}

impl From<OpenError> for SessionError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<OperationError> for SessionError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Closed => Self::Closed,
            error => Self::Answer(refusal(&error)),
        }
    }
}

/// The text for a client whose description or candidate the peer refused.
pub(super) fn refusal(error: &OperationError) -> String {
    match error {
        OperationError::Webrtc(error) => with_causes(error),
        // The message of a panic is not useful to a client.
        OperationError::Panicked(_) => "it could not be parsed".to_owned(),
        error => error.to_string(),
    }
}
