//! The calls of a connection's code: its release, once, and whatever may block its thread.

use std::sync::Arc;
use std::time::Instant;

use crate::peer::record::Record;
use crate::runtime::{JoinHandle, Runtime};
use crate::sync::atomic::Ordering;

/// Lets the connection tell the application, and let go; the first call does, and others wait
/// for it.
pub(super) async fn release_once(record: &Record) {
    if record.releasing.swap(true, Ordering::AcqRel) {
        record.released.wait().await;
    } else {
        Arc::clone(&record.connection).release().await;
        record.released.set(());
    }
}

/// [`release_once`] on a thread of ours, waited for until `deadline`.
pub(super) async fn release_by(record: &Arc<Record>, deadline: Instant) {
    let released = Arc::clone(record);
    let mut release = spawn_foreign(record, async move { release_once(&released).await });
    let _told_or_not = record.status.clock().by(deadline, &mut release).await;
}

/// Runs a connection's code in its runtime's context, on a thread that it may block.
pub(super) fn spawn_foreign<F>(record: &Record, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Runtime::spawn_background(record.foreign(future))
}
