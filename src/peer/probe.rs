//! Looking at a connection from outside.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use super::held::Holder;
use super::record::{Record, Status};
use crate::stats::StatsReport;

/// Looks at a peer's connection without owning it.
///
/// It keeps neither the connection nor its memory.
#[derive(Clone)]
pub struct Probe {
    pub(super) record: Weak<Record>,
    pub(super) status: Weak<Status>,
    pub(super) tells_release: bool,
    pub(super) tells_state: bool,
}

impl Probe {
    /// What the connection knows of itself now; `None` where it knows nothing, or is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stats(&self) -> Option<StatsReport> {
        let connection = Arc::clone(&self.record.upgrade().filter(|it| it.is_open())?.connection);
        connection.stats().await
    }

    /// What the application still holds of a closed connection; `None` where that is not known.
    #[must_use]
    pub fn holders(&self) -> Option<Vec<Holder>> {
        // The last trace of it is gone.
        let Some(status) = self.status.upgrade() else { return Some(Vec::new()) };
        let holders = status.holders.get().cloned();
        let holders = holders.or_else(|| self.record.upgrade()?.connection.holders());
        // Any code; one that panics says nothing.
        catch_unwind(AssertUnwindSafe(|| holders?.holders().into())).ok().flatten()
    }

    /// Whether the connection tells its state; one that does not is known by its closes alone.
    #[must_use]
    pub fn tells_state(&self) -> bool {
        self.tells_state
    }

    /// Whether [`Event::Released`](crate::Event::Released) will be told, or was.
    #[must_use]
    pub fn tells_release(&self) -> bool {
        self.tells_release
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}
