//! What `tracing` is told: operations as spans, and what happens to connections as events. Without
//! the `log` feature nobody is told.

use super::detail::Subject;
use super::ending::Ending;
use super::timeline::Happening;
use crate::id::{OperationId, PeerId};

/// Whether anybody listens at all.
#[inline]
pub(super) fn is_heard() -> bool {
    #[cfg(feature = "log")]
    return tracing::level_filters::LevelFilter::current()
        != tracing::level_filters::LevelFilter::OFF;
    #[cfg(not(feature = "log"))]
    return false;
}

/// The span of an operation that somebody listens for.
#[derive(Debug)]
pub(super) struct Span {
    #[cfg(feature = "log")]
    span: tracing::Span,
    /// Without the feature there is none.
    #[cfg(not(feature = "log"))]
    never: std::convert::Infallible,
}

#[cfg(feature = "log")]
impl Span {
    #[inline]
    pub(super) fn start(id: OperationId, kind: &'static str, subject: &Subject) -> Option<Self> {
        is_heard().then(|| Self::heard(id, kind, subject)).flatten()
    }

    #[cold]
    fn heard(id: OperationId, kind: &'static str, subject: &Subject) -> Option<Self> {
        use tracing::field::Empty;
        let span = tracing::info_span!(
            target: "anypeer", "operation", kind, %id,
            peer = Empty, outcome = Empty, error = Empty,
        );
        if let Subject::Peer(peer) = subject {
            span.record("peer", peer.as_str());
        }
        (!span.is_disabled()).then_some(Self { span })
    }

    pub(super) fn end(&self, ending: &Ending) {
        self.span.record("outcome", ending.as_str());
        if let Ending::Failed(chain) = ending {
            self.span.record("error", chain.join(": "));
        }
    }

    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }
}

#[cfg(not(feature = "log"))]
impl Span {
    #[inline]
    pub(super) fn start(_id: OperationId, _kind: &'static str, _subject: &Subject) -> Option<Self> {
        None
    }

    pub(super) fn end(&self, _ending: &Ending) {
        match self.never {}
    }

    pub(super) fn within<T>(&self, _work: impl FnOnce() -> T) -> T {
        match self.never {}
    }
}

/// Says what happened to a connection.
#[cfg(feature = "log")]
pub(super) fn tell(peer: &PeerId, what: &Happening) {
    let peer = peer.as_str();
    match what {
        Happening::Error(_) | Happening::NotClosed(_) | Happening::HandlerStalled(_) => {
            tracing::warn!(target: "anypeer", peer, "{what}");
        }
        Happening::Opened | Happening::Closed(_) => {
            tracing::info!(target: "anypeer", peer, "{what}");
        }
        _ => tracing::debug!(target: "anypeer", peer, "{what}"),
    }
}

#[cfg(not(feature = "log"))]
pub(super) fn tell(_peer: &PeerId, _what: &Happening) {}
