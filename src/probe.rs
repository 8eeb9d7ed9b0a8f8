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

/// Tells what keeps the memory of a closed connection from being freed.
///
/// An implementation must not hold the connection itself, since that would keep the memory.
pub trait Retention: Send + Sync + 'static {
    /// One entry for each thing that the application still holds; empty if all memory is free.
    /// Called from any thread.
    fn retained_by(&self) -> Vec<RetainedBy>;
}

/// The peer that a [`Probe`] reads, as long as the peer exists.
pub(crate) trait Probed: Send + Sync {
    /// The statistics of an open connection; `None` for a closed one.
    fn stats(self: Arc<Self>) -> BoxFuture<'static, Option<StatsReport>>;

    /// The connection's own answer to what is still held of it.
    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// The part of a peer that exists as long as any part of the peer does.
pub(crate) trait Traces: Send + Sync {
    /// The retention that was stored when the connection was closed; `None` before that.
    fn retention(&self) -> Option<Arc<dyn Retention>>;
}

/// A view of a peer's connection that keeps neither the connection nor its memory alive.
///
/// An [`Observer`](crate::Observer) receives the probe of each peer in
/// [`EventKind::Opened`](crate::EventKind::Opened), and may keep it:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use anypeer::peer::Probe;
/// use anypeer::{Event, EventKind, Observer, PeerId};
///
/// #[derive(Default)]
/// struct Probes(Mutex<HashMap<PeerId, Probe>>);
///
/// impl Observer for Probes {
///     fn on_event(&self, event: &Event<'_>) {
///         let Some(peer) = event.peer else { return };
///         match event.kind {
///             EventKind::Opened { probe, .. } => {
///                 self.0.lock().unwrap().insert(peer.clone(), probe.clone());
///             }
///             EventKind::Closed { .. } => {
///                 self.0.lock().unwrap().remove(peer);
///             }
///             _ => {}
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Probe {
    pub(crate) peer: Weak<dyn Probed>,
    pub(crate) traces: Weak<dyn Traces>,
    pub(crate) tells_release: bool,
    pub(crate) tells_state: bool,
}

impl Probe {
    /// The connection's current statistics; `None` if the connection has none or has ended.
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

    /// Whether the connection reports its state. If it does not, only its closes are known.
    #[must_use]
    pub fn tells_state(&self) -> bool {
        self.tells_state
    }

    /// Whether [`EventKind::Released`](crate::EventKind::Released) is reported for this connection.
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
