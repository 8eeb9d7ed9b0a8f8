//! The error of a registration.

use std::fmt;

use crate::id::{GroupId, InvalidId, PeerId};
use crate::runtime::StartError;

/// The reason why a connection was not registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InsertError {
    /// The id of the peer or of its group is not valid.
    Id(InvalidId),
    /// An open peer or a reserved place already has this id.
    Duplicate(PeerId),
    /// The set has as many open peers as its limit allows.
    Full {
        /// The limit.
        limit: usize,
    },
    /// The group has as many open peers as the limit per group allows.
    GroupFull {
        /// The group.
        group: GroupId,
        /// The limit.
        limit: usize,
    },
    /// The [`Peers`](crate::Peers) is draining: it accepts no new peers.
    Draining,
    /// The [`Peers`](crate::Peers) was shut down.
    ShutDown,
    /// The thread that coordinates closes could not be started.
    Start(StartError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(_) => f.write_str("the peer's id or group is not valid"),
            Self::Duplicate(id) => write!(f, "an open peer already has the id {:?}", id.as_str()),
            Self::Full { limit } => write!(f, "the limit of {limit} open peers is reached"),
            Self::GroupFull { group, limit } => {
                write!(f, "the limit of {limit} open peers in {:?} is reached", group.as_str())
            }
            Self::Draining => f.write_str("the set of peers is draining and accepts no new peers"),
            Self::ShutDown => f.write_str("the set of peers was shut down"),
            Self::Start(_) => {
                f.write_str("the thread that coordinates closes could not be started")
            }
        }
    }
}

impl std::error::Error for InsertError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Id(error) => Some(error),
            Self::Start(error) => Some(error),
            Self::Duplicate(_)
            | Self::Full { .. }
            | Self::GroupFull { .. }
            | Self::Draining
            | Self::ShutDown => None,
        }
    }
}

impl From<InvalidId> for InsertError {
    fn from(error: InvalidId) -> Self {
        Self::Id(error)
    }
}

impl From<StartError> for InsertError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}
