//! Where the log is, and how much of it there may be.

use std::path::PathBuf;
use std::time::Duration;

/// Where the log is written, and how much of it is kept.
#[derive(Clone, Debug)]
#[must_use]
pub struct LogOptions {
    pub(super) dir: PathBuf,
    pub(super) queue: usize,
    pub(super) file_bytes: u64,
    pub(super) files: usize,
    pub(super) max_age: Option<Duration>,
}

impl LogOptions {
    /// Under `dir`, in its folders `connections`, `operations` and `events`, which are made as
    /// they are needed: a queue of 1,024 records, files of 16 MiB and of one day, 16 of them of
    /// each kind, for 30 days.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            queue: 1024,
            file_bytes: 16 << 20,
            files: 16,
            max_age: Some(Duration::from_secs(30 * 24 * 3600)),
        }
    }

    /// How many records may wait to be written, at least 1. What comes when there are as many is
    /// dropped, and counted.
    pub fn queue(mut self, records: usize) -> Self {
        self.queue = records.max(1);
        self
    }

    /// How long a file may become before another is begun, in bytes. One record more is longer.
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes.max(1);
        self
    }

    /// How many files of each kind are kept, at least 1; older ones are removed.
    pub fn files(mut self, files: usize) -> Self {
        self.files = files.max(1);
        self
    }

    /// How long a file is kept; `None` for ever.
    pub fn max_age(mut self, age: Option<Duration>) -> Self {
        self.max_age = age;
        self
    }
}
