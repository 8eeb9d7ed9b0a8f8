//! Calls of a connection's release and of its other code that may block.

use std::sync::Arc;
use std::time::Instant;

use crate::peer::record::Record;
use crate::runtime::{JoinHandle, Runtime};
use crate::sync::atomic::Ordering;

/// Calls [`Connection::release`](crate::peer::Connection::release), once. Further calls wait for
/// the first to return.
pub(super) async fn release_once(record: &Record) {
    if record.releasing.swap(true, Ordering::AcqRel) {
        record.released.wait().await;
    } else {
        Arc::clone(&record.connection).release().await;
        record.released.set(());
    }
}

/// Runs [`release_once`] on a thread of the background executor, and waits for it until `deadline`.
pub(super) async fn release_by(record: &Arc<Record>, deadline: Instant) {
    let released = Arc::clone(record);
    let mut release = spawn_foreign(record, async move { release_once(&released).await });
    let _told_or_not = record.status.clock().by(deadline, &mut release).await;
}

/// Runs a connection's code on a thread of the background executor, which the code may block, in
/// the context of the peer's runtime.
pub(super) fn spawn_foreign<F>(record: &Record, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Runtime::spawn_background(record.foreign(future))
}
