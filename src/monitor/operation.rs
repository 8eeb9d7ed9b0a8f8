//! Operations of the application.

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

/// Configures an operation of the application before it is started; see
/// [`Monitor::new_operation`](super::Monitor::new_operation). The monitor records the duration and
/// the outcome of the operation.
///
/// ```
/// use anypeer::monitor::Monitor;
///
/// async fn lookup() -> Result<u32, std::num::ParseIntError> {
///     "7".parse()
/// }
///
/// let monitor = Monitor::new()?;
/// # futures::executor::block_on(async {
/// // An operation that ends with a future, ..
/// let found = monitor.new_operation("lookup").detail("user", "ada").try_run(lookup()).await;
/// assert_eq!(found, Ok(7));
/// # });
///
/// // .. and one that ends with a synchronous call.
/// let failed = monitor.new_operation("lookup").try_call(|| "seven".parse::<u32>());
/// assert!(failed.is_err());
///
/// let operations = monitor.summary().operations;
/// assert_eq!((operations.completed, operations.failed), (1, 1));
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[must_use = "nothing is started before `start`, `run`, `call` or the like"]
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

    /// Adds a detail, which is kept with the operation. At most
    /// [`Limits::details`](super::Limits::details) details are kept; further ones are ignored.
    ///
    /// Secrets are removed from the value. If the name contains a word such as `token`, `password`
    /// or `credential`, the value is not kept at all.
    pub fn detail(mut self, name: &'static str, value: impl Into<Detail>) -> Self {
        let Details { values, .. } = &mut **self.details.get_or_insert_default();
        if values.len() < self.hub.context.limits.details {
            values.push((name, value.into()));
        }
        self
    }

    /// Sets the peer that the operation is about. The peer's secrets are removed from texts of the
    /// operation too, and the operation is measured by the peer's clock instead of the system's.
    ///
    /// The operation is not counted in
    /// [`ConnectionInfo::operations`](super::ConnectionInfo::operations) of the peer, which counts
    /// only calls on the peer and its closes.
    pub fn peer(mut self, peer: &PeerId) -> Self {
        self.peer = Some(peer.clone());
        self
    }

    /// Starts the operation. The caller has to end the returned [`Operation`]: dropping it cancels
    /// the operation.
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

    /// Starts the operation, and returns a future that runs `future`. The operation ends as
    /// completed when the future is ready, and as cancelled if the future is dropped before.
    pub fn run<F: Future>(self, future: F) -> Monitored<F> {
        Monitored { future, failure: |_| None, operation: Some(self.start()) }
    }

    /// Starts the operation, and returns a future that runs `future`. The operation ends as
    /// completed if the future returns `Ok`, as failed if it returns an error, and as cancelled if
    /// the future is dropped before it is ready.
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

    /// Starts the operation, and calls `work`. The operation ends as completed when `work` returns,
    /// and as cancelled if `work` panics.
    pub fn call<T>(self, work: impl FnOnce() -> T) -> T {
        let operation = self.start();
        let result = operation.within(work);
        operation.complete();
        result
    }

    /// Starts the operation, and calls `work`. The operation ends as completed if `work` returns
    /// `Ok`, as failed if it returns an error, and as cancelled if it panics.
    ///
    /// # Errors
    ///
    /// Returns the error that `work` returns.
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

/// The peer that an operation is about, and its clock.
struct Subject {
    peer: PeerId,
    clock: Clock,
}

/// An operation in flight, started with [`OperationBuilder::start`]. **If it is dropped before it
/// was ended, it is recorded as cancelled.**
///
/// ```
/// use anypeer::monitor::{Monitor, OperationOutcome};
///
/// let monitor = Monitor::new()?;
/// let upload = monitor.new_operation("upload").detail("file", "a.txt").start();
/// let id = upload.id();
/// let outcome = || monitor.operation(id).and_then(|operation| operation.outcome);
/// assert_eq!(outcome(), None);
/// upload.complete();
/// assert_eq!(outcome(), Some(OperationOutcome::Completed(None)));
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
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
    /// Returns the operation's id, for [`Monitor::operation`](super::Monitor::operation).
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.id
    }

    /// Ends the operation as completed.
    #[inline]
    pub fn complete(mut self) {
        self.end(OperationOutcome::Completed(None));
    }

    /// Ends the operation as completed, with this text as the result. Secrets are removed from it.
    pub fn complete_with(mut self, result: &str) {
        self.end_with(&OperationEnd::Completed(Some(result)));
    }

    /// Ends the operation as failed, with this error. The texts of the error and of its sources are
    /// kept, without secrets.
    pub fn fail(mut self, error: &(dyn Error + 'static)) {
        self.end_with(&OperationEnd::Failed(error));
    }

    fn end_with(&mut self, end: &OperationEnd<'_>) {
        let raw = RawOutcome::of(end);
        let clean = |secrets: &Secrets| raw.clean(&self.hub.context.redactor, secrets);
        let outcome = self.hub.with_secrets(self.subject.as_ref().map(|it| &it.peer), clean);
        self.end(outcome);
    }

    /// Runs `work` inside the operation's span.
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

/// Returns the error in an output, if there is one.
type Failure<T> = fn(&T) -> Option<&(dyn Error + 'static)>;

pin_project! {
    /// A future with an operation, which ends when the future is ready or dropped. Returned by
    /// [`OperationBuilder::run`] and [`OperationBuilder::try_run`].
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
    /// Returns the operation's id, or `None` if the operation has ended.
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
