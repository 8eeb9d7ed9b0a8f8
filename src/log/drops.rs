//! The folders of a log, and how many records of each were dropped.

use std::time::{Duration, Instant};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The folder that a record is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Connections,
    Operations,
    Events,
}

impl Folder {
    pub(super) const ALL: [Self; 3] = [Self::Connections, Self::Operations, Self::Events];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Operations => "operations",
            Self::Events => "events",
        }
    }
}

/// How long after a dropped record a log is considered to be dropping records.
const LATELY: Duration = Duration::from_secs(60);

/// The number of records that were dropped before or after the queue, by folder.
pub(super) struct Drops {
    counts: [AtomicU64; Folder::ALL.len()],
    /// When a record was last dropped.
    last: Mutex<Option<Instant>>,
}

impl Drops {
    pub(super) fn new() -> Self {
        Self { counts: Default::default(), last: Mutex::new(None) }
    }

    /// Counts dropped records.
    pub(super) fn add(&self, folder: Folder, records: u64) {
        self.counts[folder as usize].fetch_add(records, Ordering::AcqRel);
        *self.last.lock() = Some(Instant::now());
    }

    pub(super) fn count(&self, folder: Folder) -> u64 {
        self.counts[folder as usize].load(Ordering::Acquire)
    }

    /// Whether a record was dropped within the last minute.
    pub(super) fn is_dropping(&self) -> bool {
        let last = *self.last.lock();
        last.is_some_and(|last| last.elapsed() < LATELY)
    }
}
