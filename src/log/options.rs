//! Options of the log.

use std::path::PathBuf;
use std::time::Duration;

/// Options of the log: where it is written, and how much of it is kept. See
/// [`MonitorBuilder::log`](crate::monitor::MonitorBuilder::log).
///
/// ```
/// use std::time::Duration;
/// use anypeer::log::LogOptions;
/// use anypeer::monitor::Monitor;
///
/// let dir = tempfile::tempdir()?;
/// let week = Duration::from_secs(7 * 24 * 3600);
/// let options = LogOptions::new(dir.path()).file_bytes(1 << 20).max_age(Some(week));
/// let monitor = Monitor::builder().log(options).build()?;
///
/// monitor.new_operation("sum").call(|| 1 + 2);
/// # futures::executor::block_on(async {
/// monitor.flush().await; // Before the process exits.
/// # });
/// # assert!(std::fs::read_dir(dir.path().join("operations"))?.next().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// Returns the defaults for a log in the folders `connections`, `operations` and `events` of
    /// `dir`, which are created when needed: a queue of 1,024 records, files of at most 16 MiB and
    /// one day, at most 16 files per folder, kept for 30 days.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            queue: 1024,
            file_bytes: 16 << 20,
            files: 16,
            max_age: Some(Duration::from_secs(30 * 24 * 3600)),
        }
    }

    /// Sets how many records may wait to be written, at least 1; 1,024 by default. While the queue
    /// is full, further records are dropped and counted.
    pub fn queue(mut self, records: usize) -> Self {
        self.queue = records.max(1);
        self
    }

    /// Sets the size at which a new file is begun, in bytes; 16 MiB by default. Records that are
    /// written together are not split, so a file may exceed the size by about 256 KiB.
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes.max(1);
        self
    }

    /// Sets how many files are kept in each folder, at least 1; 16 by default. Older files are
    /// removed when a new file is opened.
    pub fn files(mut self, files: usize) -> Self {
        self.files = files.max(1);
        self
    }

    /// Sets how long a file is kept after its last change; 30 days by default, and `None` for no
    /// limit. Older files are removed when a new file is opened.
    pub fn max_age(mut self, age: Option<Duration>) -> Self {
        self.max_age = age;
        self
    }
}
