//! A new peer: whether it may come in, and how it does.

use std::fmt;
use std::sync::Arc;

use super::connection::Connection;
use super::owner::Peer;
use super::record::{Record, RecordOptions, Status};
use super::registry::Registry;
use crate::id::{GroupId, IdError, PeerId};
use crate::runtime::{Runtime, StartError};

/// A peer to be: checked, not yet registered.
pub(crate) struct Reserved {
    pub(crate) status: Arc<Status>,
    pub(crate) runtime: Runtime,
    pub(super) options: RecordOptions,
    pub(super) registry: Arc<Registry>,
}

impl Reserved {
    #[cfg(feature = "webrtc")]
    pub(crate) fn handler_budget(&self) -> std::time::Duration {
        self.options.handler_budget
    }

    pub(crate) fn insert(self, connection: Arc<dyn Connection>) -> Result<Peer, InsertError> {
        let Self { status, runtime, options, registry } = self;
        let weak = Arc::downgrade(&registry);
        let make = || Record::new(Arc::clone(&status), connection, runtime, options, weak);
        let record = registry.admit(&status, make)?;
        #[cfg(feature = "test-util")]
        crate::test_util::know_peer(&record);
        record.opened();
        Ok(Peer::new(record))
    }
}

/// Why a connection was not registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InsertError {
    /// The id or the group is no id.
    Id(IdError),
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
    /// The [`Peers`](super::Peers) takes no new peers, and lets those that it has end.
    Draining,
    /// The [`Peers`](super::Peers) was shut down.
    ShutDown,
    /// The thread that coordinates closes could not be started.
    Start(StartError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(error) => error.fmt(f),
            Self::Duplicate(id) => write!(f, "an open peer has the id {:?}", id.as_str()),
            Self::Full { limit } => write!(f, "as many peers are open as there may be: {limit}"),
            Self::GroupFull { group, limit } => {
                write!(f, "as many peers of {:?} are open as there may be: {limit}", group.as_str())
            }
            Self::Draining => f.write_str("the set of peers is draining and takes no new ones"),
            Self::ShutDown => f.write_str("the set of peers was shut down"),
            Self::Start(error) => error.fmt(f),
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

impl From<IdError> for InsertError {
    fn from(error: IdError) -> Self {
        Self::Id(error)
    }
}

impl From<StartError> for InsertError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}
