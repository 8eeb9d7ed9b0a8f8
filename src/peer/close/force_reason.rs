//! Why a close goes on by force, and what that makes of its end.

use crate::outcome::{CloseFailure, CloseMode, ForceCause};

/// Why a close is ended by force.
pub(super) enum ForceReason {
    /// It was asked for.
    Aborted,
    /// The graceful close failed.
    Failed(CloseFailure),
    /// The runtime refused or dropped the graceful close.
    Lost,
    /// The graceful close has not ended within the grace period.
    Late,
}

impl ForceReason {
    /// How a connection has closed that says of itself `mode`.
    pub(super) fn closed(self, mode: CloseMode) -> CloseMode {
        let CloseMode::Forced(cause) = mode else { return mode };
        CloseMode::Forced(match (self, cause) {
            (Self::Failed(failure), _) => ForceCause::Failed(failure),
            (Self::Lost, ForceCause::Unresponsive) => ForceCause::RuntimeGone,
            (Self::Aborted, ForceCause::Unresponsive) => ForceCause::Aborted,
            (_, cause) => cause,
        })
    }
}
