//! Operations of the application's own, from their start to their end.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::hub::Hub;
use super::live::Span;
use super::operations::{Details, OperationRecord, RawOutcome};
use super::report::{Detail, OperationOutcome, OperationTarget};
use crate::event::OperationEnd;
use crate::id::{OperationId, PeerId};
use crate::redact::Secrets;
use crate::runtime::Clock;

/// An operation that is not started yet.
#[must_use = "nothing is started before `start`, `run` or one of their kind"]
pub struct OperationBuilder {
    hub: Arc<Hub>,
    kind: &'static str,
    peer: Option<PeerId>,
    details: Option<Box<Details>>,
}

impl OperationBuilder {
    #[inline]
    pub(super) fn new(hub: Arc<Hub>, kind: &'static str) -> Self {
        Self { hub, kind, peer: None, details: None }
    }

    /// Says something of the operation, up to [`Limits::details`](super::Limits::details) times.
    /// Secrets are taken out, and the value of a detail whose name speaks of a token, a password or
    /// a credential is not kept at all.
    pub fn detail(mut self, name: &'static str, value: impl Into<Detail>) -> Self {
        let Details { values, .. } = &mut **self.details.get_or_insert_default();
        if values.len() < self.hub.context.limits.details {
            values.push((name, value.into()));
        }
        self
    }

    /// The peer that the operation is done to, whose secrets are taken out too, and by whose clock
    /// it is measured; others are by the system's. The operation does not count among the peer's
    /// [operations](super::ConnectionInfo::operations), which are the calls on it.
    pub fn peer(mut self, peer: &PeerId) -> Self {
        self.peer = Some(peer.clone());
        self
    }

    /// Starts the operation.
    #[inline]
    pub fn start(self) -> Operation {
        let Self { hub, kind, peer, mut details } = self;
        if let Some(details) = &mut details {
            hub.with_secrets(peer.as_ref(), |secrets| {
                details.clean(&hub.context.redactor, secrets);
            });
        }
        let id = OperationId::generate();
        let subject = peer.map(|peer| Subject { clock: hub.clock(&peer), peer });
        let (target, clock) = match &subject {
            Some(Subject { peer, clock }) => (OperationTarget::Peer(peer.clone()), clock.clone()),
            None => (OperationTarget::None, Clock::system()),
        };
        let span = Span::start(id, kind, &target).map(Box::new);
        let started = clock.now();
        let record = OperationRecord::new(id, kind, target, details, clock, started);
        hub.operations.start(&hub.context, record);
        Operation { hub, id, kind, subject, span, open: true }
    }

    /// Starts the operation, and ends it with `future`: completed when the future is ready,
    /// cancelled if it is dropped before.
    pub fn run<F: Future>(self, future: F) -> Monitored<F> {
        Monitored { future, failure: |_| None, operation: Some(self.start()) }
    }

    /// Starts the operation, and ends it with `future`: completed or failed by the future's result,
    /// cancelled if the future is dropped before.
    pub fn try_run<F, T, E>(self, future: F) -> Monitored<F>
    where
        F: Future<Output = Result<T, E>>,
        E: Error + 'static,
    {
        fn failure<T, E: Error + 'static>(result: &Result<T, E>) -> Option<&(dyn Error + 'static)> {
            result.as_ref().err().map(|error| error as &(dyn Error + 'static))
        }
        Monitored { future, failure: failure::<T, E>, operation: Some(self.start()) }
    }

    /// Starts the operation, and ends it with `work`: completed, or cancelled if `work` panics.
    pub fn call<T>(self, work: impl FnOnce() -> T) -> T {
        let operation = self.start();
        let result = operation.within(work);
        operation.complete();
        result
    }

    /// Starts the operation, and ends it with `work`: completed or failed by its result, cancelled
    /// if it panics.
    ///
    /// # Errors
    ///
    /// The error of `work`.
    pub fn try_call<T, E: Error + 'static>(
        self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let operation = self.start();
        let result = operation.within(work);
        match &result {
            Ok(_) => operation.complete(),
            Err(error) => operation.fail(error),
        }
        result
    }
}

impl fmt::Debug for OperationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationBuilder").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The peer that an operation is done to.
struct Subject {
    peer: PeerId,
    clock: Clock,
}

/// An operation in flight. **An operation that is dropped before it was ended is cancelled.**
#[must_use = "an operation that is dropped is cancelled"]
pub struct Operation {
    hub: Arc<Hub>,
    id: OperationId,
    kind: &'static str,
    subject: Option<Subject>,
    span: Option<Box<Span>>,
    open: bool,
}

impl Operation {
    /// The id that the monitor knows the operation by.
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.id
    }

    /// Ends the operation: it has succeeded.
    #[inline]
    pub fn complete(mut self) {
        self.end(OperationOutcome::Completed(None));
    }

    /// Ends the operation: it has succeeded, with this result.
    pub fn complete_with(mut self, result: &str) {
        self.end_with(&OperationEnd::Completed(Some(result)));
    }

    /// Ends the operation: it has failed, with this error.
    pub fn fail(mut self, error: &(dyn Error + 'static)) {
        self.end_with(&OperationEnd::Failed(error));
    }

    fn end_with(&mut self, end: &OperationEnd<'_>) {
        let raw = RawOutcome::of(end);
        let clean = |secrets: &Secrets| raw.clean(&self.hub.context.redactor, secrets);
        let outcome = self.hub.with_secrets(self.subject.as_ref().map(|it| &it.peer), clean);
        self.end(outcome);
    }

    /// Does a part of the operation, within its span.
    fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.span {
            Some(span) => span.within(work),
            None => work(),
        }
    }

    #[inline]
    fn end(&mut self, outcome: OperationOutcome) {
        if std::mem::replace(&mut self.open, false) {
            let at = self.subject.as_ref().map_or_else(Instant::now, |it| it.clock.now());
            if let Some(span) = self.span.take() {
                span.end(&outcome);
            }
            self.hub.operations.end(&self.hub.context, self.id, self.kind, at, outcome);
        }
    }
}

impl Drop for Operation {
    #[inline]
    fn drop(&mut self) {
        self.end(OperationOutcome::Cancelled);
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("id", &self.id).field("kind", &self.kind).finish()
    }
}

/// Looks for the error in an output.
type Failure<T> = fn(&T) -> Option<&(dyn Error + 'static)>;

pin_project! {
    /// A future that is an operation until it is ready or dropped.
    #[must_use = "futures do nothing unless polled"]
    pub struct Monitored<F>
    where
        F: Future,
    {
        #[pin]
        future: F,
        failure: Failure<F::Output>,
        operation: Option<Operation>,
    }
}

impl<F: Future> Monitored<F> {
    /// The operation's id; `None` once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<OperationId> {
        self.operation.as_ref().map(Operation::id)
    }
}

impl<F: Future> Future for Monitored<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = match this.operation {
            Some(operation) => ready!(operation.within(|| this.future.poll(cx))),
            None => ready!(this.future.poll(cx)),
        };
        if let Some(operation) = this.operation.take() {
            match (this.failure)(&output) {
                Some(error) => operation.fail(error),
                None => operation.complete(),
            }
        }
        Poll::Ready(output)
    }
}

impl<F: Future> fmt::Debug for Monitored<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitored").field("operation", &self.operation).finish_non_exhaustive()
    }
}
