//! Why there is no session.

use std::fmt;

use super::offer::OfferError;
use super::secret::NoRandomness;
use crate::webrtc::{OpenError, OperationError};

/// Why no session was opened. Nothing is left of its connection then.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The offer is not valid.
    Offer(OfferError),
    /// There are as many sessions, or peers, as there may be.
    Full,
    /// The system has no random numbers.
    Random,
    /// The connection could not be opened.
    Open(OpenError),
    /// The offer cannot be answered, for this reason.
    Answer(String),
    /// The answer took too long.
    TimedOut,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offer(error) => error.fmt(f),
            Self::Full => f.write_str("There are too many sessions"),
            Self::Random => f.write_str("The system has no random numbers"),
            Self::Open(error) => error.fmt(f),
            Self::Answer(reason) => write!(f, "the offer cannot be answered: {reason}"),
            Self::TimedOut => f.write_str("the answer took too long"),
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
        match error {
            OpenError::Insert(_) => Self::Full,
            other => Self::Open(other),
        }
    }
}

impl From<OperationError> for SessionError {
    fn from(error: OperationError) -> Self {
        Self::Answer(refusal(error))
    }
}

/// What a client is told of a description, or of a candidate, that its peer refused.
pub(super) fn refusal(error: OperationError) -> String {
    match error {
        OperationError::Webrtc(error) => error.to_string(),
        // The message of a panic says nothing to a client.
        OperationError::Panicked(_) => "it makes no sense".to_owned(),
        error => error.to_string(),
    }
}
