//! The callers' end of the log: it never waits.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use super::options::LogOptions;
use super::writer::{self, Folder};
use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, Happening, OperationInfo, Sink};
use crate::runtime::StartError;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Event, Mutex, wake_all};

/// A record that waits to be written.
pub(super) enum Record {
    /// Read when it is written: that is not for the caller to do.
    Connection(Box<dyn FnOnce() -> ConnectionInfo + Send>),
    Operation(Box<OperationInfo>),
    Event {
        peer: PeerId,
        at: SystemTime,
        what: Happening,
    },
}

impl Record {
    pub(super) fn folder(&self) -> Folder {
        match self {
            Self::Connection(_) => Folder::Connections,
            Self::Operation(_) => Folder::Operations,
            Self::Event { .. } => Folder::Events,
        }
    }
}

/// Numbers that both ends of the queue keep.
pub(super) struct Progress {
    queued: AtomicU64,
    /// Written or dropped.
    done: AtomicU64,
    dropped: [AtomicU64; Folder::ALL.len()],
    last_drop: Mutex<Option<Instant>>,
    /// Nobody writes any more.
    over: AtomicBool,
    moved: Event,
}

/// What was dropped within this time was dropped of late.
const LATELY: Duration = Duration::from_secs(60);

impl Progress {
    fn new() -> Self {
        Self {
            queued: AtomicU64::new(0),
            done: AtomicU64::new(0),
            dropped: Default::default(),
            last_drop: Mutex::new(None),
            over: AtomicBool::new(false),
            moved: Event::new(),
        }
    }

    /// So many records of a folder are written, or are not going to be.
    pub(super) fn done(&self, folder: Folder, records: u64, written: bool) {
        if !written {
            self.drop(folder, records);
        }
        self.done.fetch_add(records, Ordering::AcqRel);
        wake_all(&self.moved);
    }

    /// Nobody writes any more.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
        wake_all(&self.moved);
    }

    /// Whether so many are written or dropped, or never will be.
    fn has_done(&self, records: u64) -> bool {
        self.done.load(Ordering::Acquire) >= records || self.over.load(Ordering::Acquire)
    }

    fn drop(&self, folder: Folder, records: u64) {
        self.dropped[folder as usize].fetch_add(records, Ordering::AcqRel);
        *self.last_drop.lock() = Some(Instant::now());
    }

    pub(super) fn dropped(&self, folder: Folder) -> u64 {
        self.dropped[folder as usize].load(Ordering::Acquire)
    }
}

/// Takes records, and has a thread write them until it is dropped.
pub(super) struct Log {
    queue: SyncSender<Record>,
    progress: Arc<Progress>,
}

impl Log {
    pub(super) fn start(options: LogOptions) -> Result<Self, StartError> {
        let (queue, records) = sync_channel(options.queue);
        let progress = Arc::new(Progress::new());
        writer::start(options, records, Arc::clone(&progress))?;
        Ok(Self { queue, progress })
    }

    fn offer(&self, record: Record) {
        let folder = record.folder();
        self.progress.queued.fetch_add(1, Ordering::AcqRel);
        if self.queue.try_send(record).is_err() {
            self.progress.done(folder, 1, false);
        }
    }
}

impl Sink for Log {
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>) {
        self.offer(Record::Connection(read));
    }

    fn operation(&self, info: OperationInfo) {
        self.offer(Record::Operation(Box::new(info)));
    }

    fn event(&self, peer: &PeerId, at: SystemTime, what: &Happening) {
        self.offer(Record::Event { peer: peer.clone(), at, what: what.clone() });
    }

    fn dropped(&self) -> Vec<(&'static str, u64)> {
        Folder::ALL.iter().map(|it| (it.name(), self.progress.dropped(*it))).collect()
    }

    fn is_dropping(&self) -> bool {
        let last = *self.progress.last_drop.lock();
        last.is_some_and(|last| last.elapsed() < LATELY)
    }

    fn flush(&self) -> crate::runtime::BoxFuture {
        let progress = Arc::clone(&self.progress);
        let queued = progress.queued.load(Ordering::Acquire);
        Box::pin(async move {
            while !progress.has_done(queued) {
                let listener = progress.moved.listen();
                if progress.has_done(queued) {
                    return;
                }
                listener.await;
            }
        })
    }
}
