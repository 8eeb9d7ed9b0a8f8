//! A view of a connection that does not own it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;

use crate::stats::StatsReport;

/// Something that keeps memory of a closed connection from being freed. It keeps no socket open and
/// no task running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetainedBy {
    /// References to the connection itself, and how many.
    Connection(usize),
    /// A data channel with this label.
    DataChannel(String),
    /// Another handle into the connection: a track, a sender, a receiver, a transceiver, or a data
    /// channel that was not created through the peer.
    Handle,
}

impl fmt::Display for RetainedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(1) => f.write_str("the connection (1 reference)"),
            Self::Connection(count) => write!(f, "the connection ({count} references)"),
            Self::DataChannel(label) => write!(f, "data channel {label:?}"),
            Self::Handle => f.write_str("a track, transceiver or data channel handle"),
        }
    }
}

/// Tells what keeps the memory of a closed connection from being freed. An implementation must not
/// hold the connection itself.
pub trait Retention: Send + Sync + 'static {
    /// One entry for each thing that the application holds; empty if all memory is free.
    fn retained_by(&self) -> Vec<RetainedBy>;
}

/// The peer that a [`Probe`] looks at, while it exists.
pub(crate) trait Probed: Send + Sync {
    fn stats(self: Arc<Self>) -> BoxFuture<'static, Option<StatsReport>>;

    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// The traces of a peer, which exist as long as any part of it does.
pub(crate) trait Traces: Send + Sync {
    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// A view of a peer's connection that keeps neither the connection nor its memory.
#[derive(Clone)]
pub struct Probe {
    pub(crate) peer: Weak<dyn Probed>,
    pub(crate) traces: Weak<dyn Traces>,
    pub(crate) tells_release: bool,
    pub(crate) tells_state: bool,
}

impl Probe {
    /// The connection's current statistics; `None` if it has none, or is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stats(&self) -> Option<StatsReport> {
        self.peer.upgrade()?.stats().await
    }

    /// What the application still holds of a closed connection; `None` if that is not known.
    #[must_use]
    pub fn retained_by(&self) -> Option<Vec<RetainedBy>> {
        // Without traces, all memory of the peer is free.
        let Some(traces) = self.traces.upgrade() else { return Some(Vec::new()) };
        let retention = traces.retention().or_else(|| self.peer.upgrade()?.retention());
        // The connection is foreign code, which may panic.
        catch_unwind(AssertUnwindSafe(|| retention?.retained_by().into())).ok().flatten()
    }

    /// Whether the connection tells its state. If it does not, only its closes are known.
    #[must_use]
    pub fn tells_state(&self) -> bool {
        self.tells_state
    }

    /// Whether [`EventKind::Released`](crate::EventKind::Released) is told for this connection.
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
