//! Spans of operations and events of connections, for subscribers of `tracing`. Without the feature
//! `tracing`, all of this does nothing.

use crate::id::{OperationId, PeerId};
#[cfg(feature = "tracing")]
use crate::monitor::report::Level;
use crate::monitor::report::{OperationOutcome, OperationTarget, TimelineEvent};

/// Whether there may be a subscriber.
#[inline]
pub(crate) fn is_enabled() -> bool {
    #[cfg(feature = "tracing")]
    return tracing::level_filters::LevelFilter::current()
        != tracing::level_filters::LevelFilter::OFF;
    #[cfg(not(feature = "tracing"))]
    return false;
}

/// The span of an operation.
#[derive(Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// Without the feature there is no span.
    #[cfg(not(feature = "tracing"))]
    never: std::convert::Infallible,
}

#[cfg(feature = "tracing")]
impl Span {
    /// Starts a span; `None` if no subscriber is interested in it.
    #[inline]
    pub(crate) fn start(
        id: OperationId,
        kind: &'static str,
        target: &OperationTarget,
    ) -> Option<Self> {
        is_enabled().then(|| Self::enabled(id, kind, target)).flatten()
    }

    #[cold]
    fn enabled(id: OperationId, kind: &'static str, target: &OperationTarget) -> Option<Self> {
        use tracing::field::Empty;
        let span = tracing::info_span!(
            target: "anypeer", "operation", kind, %id,
            peer = Empty, outcome = Empty, error = Empty,
        );
        if let OperationTarget::Peer(peer) = target {
            span.record("peer", peer.as_str());
        }
        (!span.is_disabled()).then_some(Self { span })
    }

    /// Records the outcome.
    pub(crate) fn end(&self, outcome: &OperationOutcome) {
        self.span.record("outcome", outcome.as_str());
        if let OperationOutcome::Failed(chain) = outcome {
            self.span.record("error", chain.join(": "));
        }
    }

    /// Runs `work` inside the span.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }
}

#[cfg(not(feature = "tracing"))]
impl Span {
    #[inline]
    pub(crate) fn start(
        _id: OperationId,
        _kind: &'static str,
        _target: &OperationTarget,
    ) -> Option<Self> {
        None
    }

    pub(crate) fn end(&self, _outcome: &OperationOutcome) {
        match self.never {}
    }

    pub(crate) fn within<T>(&self, _work: impl FnOnce() -> T) -> T {
        match self.never {}
    }
}

/// Emits an event of a connection.
#[cfg(feature = "tracing")]
pub(super) fn event(peer: &PeerId, event: &TimelineEvent) {
    let peer = peer.as_str();
    match event.level() {
        Level::Warn => tracing::warn!(target: "anypeer", peer, "{event}"),
        Level::Info => tracing::info!(target: "anypeer", peer, "{event}"),
        Level::Debug => tracing::debug!(target: "anypeer", peer, "{event}"),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn event(_peer: &PeerId, _event: &TimelineEvent) {}
