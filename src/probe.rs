//! Looking at a connection from outside, without owning it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;

use crate::stats::StatsReport;

/// Something that keeps memory of a closed connection alive. No socket and no task hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetainedBy {
    /// This many references to the connection itself.
    Connection(usize),
    /// A data channel, by its label.
    DataChannel(String),
    /// Some other handle into the connection: a track, a sender, a receiver, a transceiver, or a
    /// data channel that was not made through the peer.
    Handle,
}

impl fmt::Display for RetainedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(count) => write!(f, "the connection ({count} references)"),
            Self::DataChannel(label) => write!(f, "data channel {label:?}"),
            Self::Handle => f.write_str("a track, transceiver or data channel handle"),
        }
    }
}

/// Answers what still keeps the memory of a closed connection. It refers to the connection weakly
/// itself.
pub trait Retention: Send + Sync + 'static {
    /// One entry for each thing that the application holds; empty when all memory is free.
    fn retained_by(&self) -> Vec<RetainedBy>;
}

/// What a [`Probe`] looks at: a peer, while there is one.
pub(crate) trait Probed: Send + Sync {
    fn stats(self: Arc<Self>) -> BoxFuture<'static, Option<StatsReport>>;

    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// The traces of a peer, which last as long as anything of it does.
pub(crate) trait Traces: Send + Sync {
    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// Looks at a peer's connection without owning it.
///
/// It keeps neither the connection nor its memory.
#[derive(Clone)]
pub struct Probe {
    pub(crate) peer: Weak<dyn Probed>,
    pub(crate) traces: Weak<dyn Traces>,
    pub(crate) tells_release: bool,
    pub(crate) tells_state: bool,
}

impl Probe {
    /// What the connection knows of itself now; `None` where it knows nothing, or is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stats(&self) -> Option<StatsReport> {
        self.peer.upgrade()?.stats().await
    }

    /// What the application still holds of a closed connection; `None` where that is not known.
    #[must_use]
    pub fn retained_by(&self) -> Option<Vec<RetainedBy>> {
        // The last trace of the peer is gone.
        let Some(traces) = self.traces.upgrade() else { return Some(Vec::new()) };
        let retention = traces.retention().or_else(|| self.peer.upgrade()?.retention());
        // A connection's answer is foreign code; one that panics says nothing.
        catch_unwind(AssertUnwindSafe(|| retention?.retained_by().into())).ok().flatten()
    }

    /// Whether the connection tells its state; one that does not is known by its closes alone.
    #[must_use]
    pub fn tells_state(&self) -> bool {
        self.tells_state
    }

    /// Whether [`EventKind::Released`](crate::EventKind::Released) will be told, or was.
    #[must_use]
    pub fn tells_release(&self) -> bool {
        self.tells_release
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}
