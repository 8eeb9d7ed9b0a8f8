//! Operations: what is done to peers, each told from its start to its one end.

use std::error::Error;
use std::time::Instant;

use crate::event::{Event, OperationEnd, Target, Watch};
use crate::id::OperationId;

/// One operation under way. Dropped before it was ended, it was canceled.
pub(crate) struct Told<'a> {
    watch: &'a Watch,
    id: OperationId,
    operation: &'static str,
    target: Target<'a>,
    /// `None` where nobody watches, and once it has ended.
    start: Option<Instant>,
}

impl<'a> Told<'a> {
    pub(crate) fn start(watch: &'a Watch, operation: &'static str, target: Target<'a>) -> Self {
        Self::start_as(OperationId::generate(), watch, operation, target)
    }

    /// Under an id that somebody has already.
    pub(crate) fn start_as(
        id: OperationId,
        watch: &'a Watch,
        operation: &'static str,
        target: Target<'a>,
    ) -> Self {
        watch.tell(|| Event::OperationStarted { id, operation, target });
        let start = watch.is_attached().then(Instant::now);
        Self { watch, id, operation, target, start }
    }

    pub(crate) fn id(&self) -> OperationId {
        self.id
    }

    /// Ends it with what came of it.
    pub(crate) fn end<T, E: Error + 'static>(mut self, result: &Result<T, E>) {
        self.tell(match result {
            Ok(_) => OperationEnd::Completed(None),
            Err(error) => OperationEnd::Failed(error),
        });
    }

    fn tell(&mut self, end: OperationEnd<'_>) {
        if let Some(start) = self.start.take() {
            let Self { id, operation, target, .. } = *self;
            let took = start.elapsed();
            self.watch.tell(|| Event::OperationEnded { id, operation, target, end, took });
        }
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.tell(OperationEnd::Canceled);
    }
}
