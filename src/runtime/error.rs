//! Why a task has no result.

use std::any::Any;
use std::fmt;

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// It panicked, with this message.
    Panicked(String),
    /// It was aborted through its handle.
    Cancelled,
    /// Its executor dropped it: refused it, was shut down, or is gone.
    Lost,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "the task panicked: {message}"),
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::Lost => f.write_str("the task was dropped by its executor"),
        }
    }
}

impl std::error::Error for JoinError {}

/// The error for a caught panic, with its message where it has one.
#[cold]
pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> JoinError {
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload
            .downcast_ref::<&str>()
            .map_or_else(|| String::from("(no message)"), |message| (*message).to_owned()),
    };
    JoinError::Panicked(message)
}
