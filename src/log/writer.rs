//! The thread that writes the log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use super::drops::{Drops, Folder};
use super::options::LogOptions;
use super::record::LogRecord;
use super::stream::Stream;
use crate::runtime::StartError;
use crate::runtime::thread::start_thread;
use crate::wire::json::{ConnectionJson, EventLineJson, OperationJson};
use crate::wire::log::{DroppedJson, append};

/// The number of bytes that are collected for one write.
const BATCH_BYTES: usize = 256 << 10;
/// The number of records that are taken from the queue for one write.
const BATCH_RECORDS: usize = 1024;

/// How long nothing is written after a failure. Records that arrive in this time are dropped.
const RETRY: Duration = Duration::from_millis(500);

/// Starts the thread.
pub(super) fn start(
    options: LogOptions,
    records: Receiver<LogRecord>,
    drops: Arc<Drops>,
) -> Result<(), StartError> {
    start_thread("anypeer-log", move || write(&options, &records, &drops)).map_err(StartError::new)
}

/// One folder of the log, with the lines that are to be written.
struct Output {
    folder: Folder,
    stream: Stream,
    lines: Vec<u8>,
    /// The number of records in `lines`.
    records: u64,
    /// The time of the next attempt after a failure.
    retry: Option<Instant>,
    /// The number of dropped records that the log has reported.
    told: u64,
}

/// The main function of the thread. It returns when the sink is dropped and the queue is empty.
fn write(options: &LogOptions, records: &Receiver<LogRecord>, drops: &Drops) {
    let mut outputs = Folder::ALL.map(|folder| Output {
        folder,
        stream: Stream::new(
            options.dir.join(folder.name()),
            options.file_bytes,
            options.files,
            options.max_age,
        ),
        lines: Vec::new(),
        records: 0,
        retry: None,
        told: 0,
    });
    loop {
        let first = records.recv_timeout(RETRY);
        let open = !matches!(first, Err(RecvTimeoutError::Disconnected));
        let mut flushes = Vec::new();
        let batch = first.ok().into_iter().chain(records.try_iter().take(BATCH_RECORDS));
        for record in batch {
            match record {
                LogRecord::Flush(flush) => flushes.push(flush),
                record => add(&mut outputs, record, drops),
            }
        }
        for output in &mut outputs {
            output.write(drops);
        }
        for flush in flushes {
            // The future that waits for the flush may have been dropped.
            let _asked = flush.send(());
        }
        if !open {
            outputs.iter_mut().for_each(|output| drop(output.stream.flush()));
            return;
        }
    }
}

fn add(outputs: &mut [Output; 3], record: LogRecord, drops: &Drops) {
    let [connections, operations, events] = outputs;
    match record {
        LogRecord::Connection(read) => {
            connections.add(drops, |lines| append(lines, &ConnectionJson::new(&read())));
        }
        LogRecord::Operation(info) => {
            operations.add(drops, |lines| append(lines, &OperationJson::new(&info)));
        }
        LogRecord::Event { peer, at, event } => {
            events
                .add(drops, |lines| append(lines, &EventLineJson::new(peer.as_str(), at, &event)));
        }
        LogRecord::Flush(_) => {}
    }
}

impl Output {
    fn add(&mut self, drops: &Drops, append: impl FnOnce(&mut Vec<u8>) -> bool) {
        if append(&mut self.lines) {
            self.records += 1;
        } else {
            drops.add(self.folder, 1);
        }
        if self.lines.len() >= BATCH_BYTES {
            self.write(drops);
        }
    }

    /// Writes the lines, preceded by a record of how many were dropped. If that fails, the lines
    /// are dropped, and nothing is written for [`RETRY`].
    fn write(&mut self, drops: &Drops) {
        let now = Instant::now();
        if self.retry.is_some_and(|retry| now < retry) {
            self.give_up(drops);
            return;
        }
        let dropped = drops.count(self.folder);
        if self.records == 0 && dropped == self.told {
            return;
        }
        // The gap is reported before the records that follow it.
        if dropped > self.told {
            let rest = std::mem::take(&mut self.lines);
            append(&mut self.lines, &DroppedJson::new(SystemTime::now(), dropped - self.told));
            self.lines.extend_from_slice(&rest);
        }
        match self.stream.append(&self.lines, SystemTime::now()) {
            Ok(()) => {
                let failed = self.retry.take().is_some();
                self.told = dropped;
                self.lines.clear();
                self.records = 0;
                if failed {
                    note::resumed(self.folder, dropped);
                }
            }
            Err(error) => {
                // Reported once, not for every record.
                let first = self.retry.replace(now + RETRY).is_none();
                self.give_up(drops);
                if first {
                    note::failed(self.folder, &error);
                }
            }
        }
    }

    /// Drops the records that could not be written.
    fn give_up(&mut self, drops: &Drops) {
        let records = std::mem::take(&mut self.records);
        self.lines.clear();
        if records > 0 {
            drops.add(self.folder, records);
        }
    }
}

/// Emits events of `tracing` about the log itself. A subscriber is foreign code, whose panic must
/// not end the log.
#[cfg(feature = "tracing")]
mod note {
    use std::io;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::Folder;

    pub(super) fn resumed(folder: Folder, dropped: u64) {
        let log = folder.name();
        let _panicked = catch_unwind(|| {
            tracing::warn!(target: "anypeer", log, dropped, "logging resumed");
        });
    }

    pub(super) fn failed(folder: Folder, error: &io::Error) {
        let log = folder.name();
        let _panicked = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(target: "anypeer", log, %error, "logging failed");
        }));
    }
}

#[cfg(not(feature = "tracing"))]
mod note {
    pub(super) fn resumed(_folder: super::Folder, _dropped: u64) {}

    pub(super) fn failed(_folder: super::Folder, _error: &std::io::Error) {}
}
