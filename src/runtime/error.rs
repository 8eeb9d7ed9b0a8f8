//! The error of a task that has no result.

use std::any::Any;
use std::fmt;

/// The reason why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The task panicked, with this message. A payload that is not a string has the message
    /// `(no message)`.
    Panicked(String),
    /// The task was cancelled: through its handle, by its task group, or by its timeout.
    Cancelled,
    /// The task's executor dropped it: the executor refused the task, was shut down, or is gone.
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

/// Converts the payload of a caught panic to an error.
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
