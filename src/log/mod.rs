//! A log of everything that a monitor sees, as JSON Lines in files.
//!
//! ```no_run
//! use anypeer::log::LogOptions;
//! use anypeer::monitor::Monitor;
//!
//! let monitor = Monitor::builder().log(LogOptions::new("./logs")).build()?;
//! # Ok::<(), anypeer::runtime::StartError>(())
//! ```
//!
//! The log consists of three folders:
//!
//! | Folder | Records |
//! |---|---|
//! | `connections` | each connection that has ended |
//! | `operations` | each operation that has ended |
//! | `events` | each event of a connection, with a `level` (`debug`, `info` or `warn`) |
//!
//! Every line is one JSON object. If the process crashes, the last line may be incomplete; it is
//! cut off when the file is next opened. Files are named by the date, in UTC, and a number, for
//! instance `2026-11-25.0000.jsonl`. They are rotated by size and by day, and old ones are removed.
//!
//! A dedicated thread, `anypeer-log`, writes the files. Logging does not block the caller: if the
//! queue is full or the disk fails, the record is dropped and counted
//! ([`Summary::dropped`](crate::monitor::Summary::dropped),
//! [`Metrics::dropped`](crate::monitor::Metrics::dropped)). The log continues by itself, with a
//! record of type `records_dropped` that says how many are missing. With the feature `tracing`, an
//! event is emitted when the log fails and when it continues.

mod drops;
mod options;
mod queue;
mod record;
mod stream;
mod writer;

use std::sync::Arc;

pub use self::options::LogOptions;

use self::queue::Log;
use crate::monitor::{MonitorBuilder, Sink};

impl MonitorBuilder {
    /// Writes everything that the monitor records to files, too. See [`log`](crate::log).
    ///
    /// If this is called more than once, the last options are used.
    pub fn log(self, options: LogOptions) -> Self {
        self.sink(move || Ok(Arc::new(Log::start(options.clone())?) as Arc<dyn Sink>))
    }
}
