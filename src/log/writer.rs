//! The thread that writes.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use super::options::LogOptions;
use super::queue::{Progress, Record};
use super::stream::Stream;
use crate::runtime::StartError;
use crate::runtime::background::start_thread;
use crate::wire::json::{ConnectionJson, DroppedJson, EventLineJson, OperationJson, append};

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

/// So many bytes are written at once.
const BATCH_BYTES: usize = 256 << 10;

/// After a failure the disk is left alone for this long. What comes meanwhile is dropped.
const RETRY: Duration = Duration::from_millis(500);

pub(super) fn start(
    options: LogOptions,
    records: Receiver<Record>,
    progress: Arc<Progress>,
) -> Result<(), StartError> {
    let work = move || write(&options, &records, &progress);
    start_thread("anypeer-log", work).map_err(StartError::new)
}

struct Output {
    folder: Folder,
    stream: Stream,
    lines: Vec<u8>,
    records: u64,
    failing: Option<Failing>,
    /// How many dropped records the log has told of.
    told: u64,
}

struct Failing {
    /// When it is tried again.
    retry: Instant,
}

/// Says that it is over, however it ends.
struct Over<'a>(&'a Progress);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn write(options: &LogOptions, records: &Receiver<Record>, progress: &Progress) {
    let _over = Over(progress);
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
        failing: None,
        told: 0,
    });
    loop {
        let open = match records.recv_timeout(RETRY) {
            Ok(record) => {
                outputs[record.folder() as usize].add(record, progress);
                gather(records, &mut outputs, progress)
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        };
        for output in &mut outputs {
            output.write(progress);
        }
        if !open {
            for output in &mut outputs {
                let _whatever = output.stream.flush();
            }
            return;
        }
    }
}

/// Takes what waits; says whether there may be more.
fn gather(records: &Receiver<Record>, outputs: &mut [Output; 3], progress: &Progress) -> bool {
    loop {
        match records.try_recv() {
            Ok(record) => {
                let output = &mut outputs[record.folder() as usize];
                output.add(record, progress);
                if output.lines.len() >= BATCH_BYTES {
                    output.write(progress);
                }
            }
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

impl Output {
    fn add(&mut self, record: Record, progress: &Progress) {
        let lines = &mut self.lines;
        let written = match record {
            Record::Connection(read) => append(lines, &ConnectionJson::new(&read())),
            Record::Operation(info) => append(lines, &OperationJson::new(&info)),
            Record::Event { peer, at, what } => {
                append(lines, &EventLineJson::new(peer.as_str(), at, &what))
            }
        };
        if written {
            self.records += 1;
        } else {
            progress.done(self.folder, 1, false);
        }
    }

    fn write(&mut self, progress: &Progress) {
        let now = Instant::now();
        let waits = self.failing.as_ref().is_some_and(|failing| now < failing.retry);
        let dropped = progress.dropped(self.folder);
        if waits || (self.records == 0 && dropped == self.told) {
            if waits && self.records > 0 {
                self.finish(progress, false);
            }
            return;
        }
        // Said before what comes after the gap.
        if dropped > self.told {
            let gap = DroppedJson::new(SystemTime::now(), dropped - self.told);
            let rest = std::mem::take(&mut self.lines);
            append(&mut self.lines, &gap);
            self.lines.extend_from_slice(&rest);
        }
        match self.stream.append(&self.lines, SystemTime::now()) {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::warn!(target: "anypeer", log = self.folder.name(), dropped, "the log goes on");
                }
                self.told = dropped;
                self.finish(progress, true);
            }
            Err(error) => {
                self.fail(&error, now);
                self.finish(progress, false);
            }
        }
    }

    fn fail(&mut self, error: &io::Error, now: Instant) {
        // Once, not for every record.
        if self.failing.is_none() {
            tracing::error!(target: "anypeer", log = self.folder.name(), %error, "the log cannot be written");
        }
        self.failing = Some(Failing { retry: now + RETRY });
    }

    fn finish(&mut self, progress: &Progress, written: bool) {
        let records = std::mem::take(&mut self.records);
        self.lines.clear();
        progress.done(self.folder, records, written);
    }
}
