//! Why a peer is not taken in.

use std::fmt;

use crate::id::{GroupId, InvalidId, PeerId};
use crate::runtime::StartError;

/// Why a connection was not registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InsertError {
    /// The id or the group is no id.
    Id(InvalidId),
    /// An open peer has that id.
    Duplicate(PeerId),
    /// As many peers are open as there may be.
    Full {
        /// How many may be.
        limit: usize,
    },
    /// As many peers of the group are open as there may be.
    GroupFull {
        /// Which group.
        group: GroupId,
        /// How many may be.
        limit: usize,
    },
    /// The [`Peers`](crate::Peers) takes no new peers, and lets those that it has end.
    Draining,
    /// The [`Peers`](crate::Peers) was shut down.
    ShutDown,
    /// The thread that coordinates closes could not be started.
    Start(StartError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(_) => f.write_str("the id or the group of the peer is no id"),
            Self::Duplicate(id) => write!(f, "an open peer has the id {:?}", id.as_str()),
            Self::Full { limit } => write!(f, "as many peers are open as there may be: {limit}"),
            Self::GroupFull { group, limit } => {
                write!(f, "as many peers of {:?} are open as there may be: {limit}", group.as_str())
            }
            Self::Draining => f.write_str("the set of peers is draining and takes no new ones"),
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
