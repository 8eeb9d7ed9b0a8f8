//! A guard that reports the start and the end of an operation.

use std::error::Error;
use std::time::Instant;

use super::kind::EventKind;
use super::operation::{OperationEnd, Target};
use super::watch::Watch;
use crate::id::OperationId;

/// An operation in progress. If the guard is dropped before the operation has ended, the operation
/// is reported as cancelled.
pub(crate) struct OperationGuard<'a> {
    watch: &'a Watch,
    id: OperationId,
    operation: &'static str,
    target: Target<'a>,
    /// `None` if there is no observer, and once the operation has ended.
    start: Option<Instant>,
}

impl<'a> OperationGuard<'a> {
    /// Starts an operation under a new id.
    pub(crate) fn start(watch: &'a Watch, operation: &'static str, target: Target<'a>) -> Self {
        Self::start_as(OperationId::generate(), watch, operation, target)
    }

    /// Starts an operation under an id that was generated before.
    pub(crate) fn start_as(
        id: OperationId,
        watch: &'a Watch,
        operation: &'static str,
        target: Target<'a>,
    ) -> Self {
        let start = watch.is_attached().then(|| watch.now());
        if let Some(at) = start {
            watch.tell_at(at, target.peer(), || EventKind::OperationStarted {
                id,
                operation,
                target,
            });
        }
        Self { watch, id, operation, target, start }
    }

    pub(crate) fn id(&self) -> OperationId {
        self.id
    }

    /// Ends the operation with its result.
    pub(crate) fn end<T, E: Error + 'static>(mut self, result: &Result<T, E>) {
        self.tell(match result {
            Ok(_) => OperationEnd::Completed(None),
            Err(error) => OperationEnd::Failed(error),
        });
    }

    /// Reports the end, once.
    fn tell(&mut self, end: OperationEnd<'_>) {
        if let Some(start) = self.start.take() {
            let Self { id, operation, target, .. } = *self;
            let now = self.watch.now();
            let took = now.saturating_duration_since(start);
            self.watch.tell_at(now, target.peer(), || EventKind::OperationEnded {
                id,
                operation,
                target,
                end,
                took,
            });
        }
    }
}

impl Drop for OperationGuard<'_> {
    fn drop(&mut self) {
        self.tell(OperationEnd::Cancelled);
    }
}
