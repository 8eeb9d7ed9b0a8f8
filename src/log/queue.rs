//! The part of the log that is called by the monitor. It never blocks.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, SystemTime};

use futures::channel::oneshot;

use super::drops::{Drops, Folder};
use super::options::LogOptions;
use super::record::LogRecord;
use super::writer;
use crate::id::PeerId;
use crate::monitor::{ConnectionInfo, OperationInfo, Sink, TimelineEvent};
use crate::runtime::{BoxFuture, Clock, StartError};

/// The sink that puts records into a queue. A thread writes them, until the sink is dropped and the
/// queue is empty.
pub(super) struct Log {
    queue: SyncSender<LogRecord>,
    drops: Arc<Drops>,
}

impl Log {
    pub(super) fn start(options: LogOptions) -> Result<Self, StartError> {
        let (queue, records) = sync_channel(options.queue);
        let drops = Arc::new(Drops::new());
        writer::start(options, records, Arc::clone(&drops))?;
        Ok(Self { queue, drops })
    }

    /// Queues a record, or drops and counts it if the queue is full.
    fn offer(&self, folder: Folder, record: LogRecord) {
        if self.queue.try_send(record).is_err() {
            self.drops.add(folder, 1);
        }
    }
}

impl Sink for Log {
    fn connection(&self, read: Box<dyn FnOnce() -> ConnectionInfo + Send>) {
        self.offer(Folder::Connections, LogRecord::Connection(read));
    }

    fn operation(&self, info: OperationInfo) {
        self.offer(Folder::Operations, LogRecord::Operation(Box::new(info)));
    }

    fn event(&self, peer: &PeerId, at: SystemTime, event: &TimelineEvent) {
        let record = LogRecord::Event { peer: peer.clone(), at, event: event.clone() };
        self.offer(Folder::Events, record);
    }

    fn dropped(&self) -> Vec<(&'static str, u64)> {
        Folder::ALL.iter().map(|it| (it.name(), self.drops.count(*it))).collect()
    }

    fn is_dropping(&self) -> bool {
        self.drops.is_dropping()
    }

    fn flush(&self) -> BoxFuture {
        /// The time between two attempts to put the marker into a full queue.
        const PAUSE: Duration = Duration::from_millis(5);
        let queue = self.queue.clone();
        Box::pin(async move {
            let (flush, flushed) = oneshot::channel();
            let mut marker = LogRecord::Flush(flush);
            while let Err(TrySendError::Full(refused)) = queue.try_send(marker) {
                marker = refused;
                Clock::system().sleep(PAUSE).await;
            }
            // An error means that the writer is gone.
            let _over = flushed.await;
        })
    }
}
