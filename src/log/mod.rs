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
//! The log consists of three folders: `connections` has a record of each connection that has ended,
//! `operations` one of each operation that has ended, and `events` one of each event, with a `level`
//! (`debug`, `info` or `warn`). Every line that ends in a newline is a whole JSON object, whatever
//! happens to the process: an incomplete last line after a crash is cut off when the file is next
//! opened. Files are rotated by size and by day, and old ones are removed. No id is ever part of a
//! file's name.
//!
//! A dedicated thread writes the files. Logging never blocks the caller: if the queue is full or
//! the disk fails, the record is dropped and counted
//! ([`Summary::dropped`](crate::monitor::Summary::dropped),
//! [`Metrics::dropped`](crate::monitor::Metrics::dropped)). The log resumes by itself, with a
//! record of how many records are missing. With the feature `tracing`, its subscribers are told
//! when the log fails and when it resumes.

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
    /// Also writes everything that the monitor sees to files.
    pub fn log(self, options: LogOptions) -> Self {
        self.sink(move || Ok(Arc::new(Log::start(options.clone())?) as Arc<dyn Sink>))
    }
}
