//! The callers' end of the log: it never waits.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use futures::channel::oneshot;

use super::options::LogOptions;
use super::writer::{self, Folder};
use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, Happening, OperationInfo, Sink};
use crate::runtime::{BoxFuture, StartError, time};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What waits to be written.
pub(super) enum Record {
    /// Read when it is written: that is not for the caller to do.
    Connection(Box<dyn FnOnce() -> ConnectionInfo + Send>),
    Operation(Box<OperationInfo>),
    Event {
        peer: PeerId,
        at: SystemTime,
        what: Happening,
    },
    /// Answered when all that came before it is written or dropped.
    Flush(oneshot::Sender<()>),
}

/// What was dropped of each folder's, by either end of the queue.
pub(super) struct Drops {
    counts: [AtomicU64; Folder::ALL.len()],
    last: Mutex<Option<Instant>>,
}

impl Drops {
    pub(super) fn add(&self, folder: Folder, records: u64) {
        self.counts[folder as usize].fetch_add(records, Ordering::AcqRel);
        *self.last.lock() = Some(Instant::now());
    }

    pub(super) fn count(&self, folder: Folder) -> u64 {
        self.counts[folder as usize].load(Ordering::Acquire)
    }
}

/// What was dropped within this time was dropped of late.
const LATELY: Duration = Duration::from_secs(60);

/// Takes records, and has a thread write them until it is dropped.
pub(super) struct Log {
    queue: SyncSender<Record>,
    drops: Arc<Drops>,
}

impl Log {
    pub(super) fn start(options: LogOptions) -> Result<Self, StartError> {
        let (queue, records) = sync_channel(options.queue);
        let drops = Arc::new(Drops { counts: Default::default(), last: Mutex::new(None) });
        writer::start(options, records, Arc::clone(&drops))?;
        Ok(Self { queue, drops })
    }

    fn offer(&self, folder: Folder, record: Record) {
        if self.queue.try_send(record).is_err() {
            self.drops.add(folder, 1);
        }
    }
}

impl Sink for Log {
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>) {
        self.offer(Folder::Connections, Record::Connection(read));
    }

    fn operation(&self, info: OperationInfo) {
        self.offer(Folder::Operations, Record::Operation(Box::new(info)));
    }

    fn event(&self, peer: &PeerId, at: SystemTime, what: &Happening) {
        let record = Record::Event { peer: peer.clone(), at, what: what.clone() };
        self.offer(Folder::Events, record);
    }

    fn dropped(&self) -> Vec<(&'static str, u64)> {
        Folder::ALL.iter().map(|it| (it.name(), self.drops.count(*it))).collect()
    }

    fn is_dropping(&self) -> bool {
        let last = *self.drops.last.lock();
        last.is_some_and(|last| last.elapsed() < LATELY)
    }

    fn flush(&self) -> BoxFuture {
        /// How long until there may be room in the queue.
        const PAUSE: Duration = Duration::from_millis(5);
        let queue = self.queue.clone();
        Box::pin(async move {
            let (flush, flushed) = oneshot::channel();
            let mut marker = Record::Flush(flush);
            while let Err(TrySendError::Full(refused)) = queue.try_send(marker) {
                marker = refused;
                time::sleep(PAUSE).await;
            }
            // Who writes is gone, or has written.
            let _over = flushed.await;
        })
    }
}
