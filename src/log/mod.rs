//! What was seen, as JSON Lines in files and as `tracing` spans and events.
//!
//! ```no_run
//! use anypeer::log::LogOptions;
//! use anypeer::monitor::Monitor;
//!
//! let monitor = Monitor::builder().log(LogOptions::new("./logs")).build()?;
//! # Ok::<(), anypeer::runtime::StartError>(())
//! ```
//!
//! Three folders under the one given: `connections` has a record of each connection that has
//! ended, `operations` one of each operation that has, `events` one of each event. Every line that
//! ends in a newline is a whole JSON object, whatever happens to the process; a tail that a crash
//! has torn is cut when the file is next opened. Files are turned over by size and by day, and old
//! ones removed. An id is never part of a file's name.
//!
//! A thread of its own writes. Who makes a record never waits: where the queue is full or the disk
//! fails the record is dropped, and counted ([`Summary::dropped`](crate::monitor::Summary::dropped),
//! [`Metrics::dropped`](crate::monitor::Metrics::dropped)); a record says so once the log goes on,
//! which it does by itself.
//!
//! Beside it, and without any options, each operation is a span named `operation` of the target
//! `anypeer` for whoever subscribes to `tracing`, and through that for OpenTelemetry, and what
//! happens to connections is an event.

mod options;
mod queue;
mod stream;
mod writer;

use std::sync::Arc;

pub use self::options::LogOptions;

use self::queue::Log;
use crate::monitor::{MonitorBuilder, Sink};

impl MonitorBuilder {
    /// Writes what it sees to files, too.
    pub fn log(self, options: LogOptions) -> Self {
        self.sink(move || Ok(Arc::new(Log::start(options.clone())?) as Arc<dyn Sink>))
    }
}
