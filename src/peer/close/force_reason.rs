//! Why a close is forced, and how that changes the reported mode.

use crate::outcome::{CloseFailure, CloseMode, ForceCause};

/// The reason why a close is forced.
pub(super) enum ForceReason {
    /// The caller asked for it.
    Aborted,
    /// The graceful close failed.
    Failed(CloseFailure),
    /// The runtime refused or dropped the graceful close.
    Lost,
    /// The graceful close has not ended within the grace period.
    Late,
}

impl ForceReason {
    /// The mode to report for a connection whose abort has returned `mode`. A cause of its own is
    /// kept; [`ForceCause::Unresponsive`] is replaced by the reason.
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
