//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use super::options::LogOptions;
use super::queue::{Drops, Record};
use super::stream::Stream;
use crate::runtime::StartError;
use crate::runtime::thread::start_thread;
use crate::wire::json::{ConnectionJson, EventLineJson, OperationJson};
use crate::wire::log::{DroppedJson, append};

/// Where a record is written.
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

/// So many bytes are written at once, and so many records taken before that.
const BATCH_BYTES: usize = 256 << 10;
const BATCH_RECORDS: usize = 1024;

/// After a failure the disk is left alone for this long. What comes meanwhile is dropped.
const RETRY: Duration = Duration::from_millis(500);

pub(super) fn start(
    options: LogOptions,
    records: Receiver<Record>,
    drops: Arc<Drops>,
) -> Result<(), StartError> {
    start_thread("anypeer-log", move || write(&options, &records, &drops)).map_err(StartError::new)
}

struct Output {
    folder: Folder,
    stream: Stream,
    lines: Vec<u8>,
    records: u64,
    /// When it is tried again, while it fails.
    retry: Option<Instant>,
    /// How many dropped records the log has told of.
    told: u64,
}

fn write(options: &LogOptions, records: &Receiver<Record>, drops: &Drops) {
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
                Record::Flush(flush) => flushes.push(flush),
                record => add(&mut outputs, record, drops),
            }
        }
        for output in &mut outputs {
            output.write(drops);
        }
        for flush in flushes {
            // Who asked may be gone.
            let _asked = flush.send(());
        }
        if !open {
            outputs.iter_mut().for_each(|output| drop(output.stream.flush()));
            return;
        }
    }
}

fn add(outputs: &mut [Output; 3], record: Record, drops: &Drops) {
    let [connections, operations, events] = outputs;
    match record {
        Record::Connection(read) => {
            connections.add(drops, |lines| append(lines, &ConnectionJson::new(&read())));
        }
        Record::Operation(info) => {
            operations.add(drops, |lines| append(lines, &OperationJson::new(&info)));
        }
        Record::Event { peer, at, what } => {
            events.add(drops, |lines| append(lines, &EventLineJson::new(peer.as_str(), at, &what)));
        }
        Record::Flush(_) => {}
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
        // Said before what comes after the gap.
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
                    tell(
                        |log| tracing::warn!(target: "anypeer", log, dropped, "the log goes on"),
                        self.folder,
                    );
                }
            }
            Err(error) => {
                // Said once, not for every record.
                let first = self.retry.replace(now + RETRY).is_none();
                self.give_up(drops);
                if first {
                    let cannot = |log| tracing::error!(target: "anypeer", log, %error, "the log cannot be written");
                    tell(cannot, self.folder);
                }
            }
        }
    }

    /// Drops what could not be written.
    fn give_up(&mut self, drops: &Drops) {
        let records = std::mem::take(&mut self.records);
        self.lines.clear();
        if records > 0 {
            drops.add(self.folder, records);
        }
    }
}

/// A subscriber is any code; one that panics ends no log.
fn tell(say: impl FnOnce(&'static str), folder: Folder) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| say(folder.name())));
}
