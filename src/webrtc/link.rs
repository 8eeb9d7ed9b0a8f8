//! The reference from a peer to its `PeerConnection`.

use std::sync::{Arc, OnceLock, Weak};

use ::webrtc::data_channel::DataChannel;
use ::webrtc::peer_connection::PeerConnection;

use super::adaptor::Adaptor;
use super::candidate_queue::CandidateQueue;
use super::operation_error::OperationError;
use super::stats::{self, RemoteCandidates};
use super::transport::{is_closed, transport};
use crate::candidate::Side;
use crate::event::EventKind;
use crate::peer::{ReleaseNotice, RetainedBy, Retention, Status};
use crate::runtime::Clock;
use crate::stats::StatsReport;
use crate::sync::Mutex;

/// The reference from a peer to its `PeerConnection`. After the close, it only knows what the
/// application still holds of the connection.
pub(super) struct Link {
    clock: Clock,
    connection: Mutex<Linked>,
    /// Can be upgraded as long as the connection's core exists, whichever handle keeps the core
    /// alive.
    core: OnceLock<Weak<Adaptor>>,
    channels: Mutex<Vec<Channel>>,
    remotes: RemoteCandidates,
    pub(super) queued: CandidateQueue,
}

/// The phase of a link.
#[derive(Default)]
enum Linked {
    /// The connection is being built.
    #[default]
    Building,
    /// The connection was built.
    Built(Arc<dyn PeerConnection>),
    /// The connection was closed. A connection that was never built has no reference.
    Released(Option<Weak<dyn PeerConnection>>),
}

/// A data channel of the connection, by which it is named in [`RetainedBy`].
struct Channel {
    label: String,
    channel: Weak<dyn DataChannel>,
}

impl Link {
    /// Creates the link to a connection that is to be built. `clock` is the clock of the peer.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            connection: Mutex::default(),
            core: OnceLock::new(),
            channels: Mutex::default(),
            remotes: RemoteCandidates::default(),
            queued: CandidateQueue::default(),
        }
    }

    /// Creates the link to an existing connection.
    pub(super) fn built(connection: Arc<dyn PeerConnection>, clock: Clock) -> Self {
        Self { connection: Mutex::new(Linked::Built(connection)), ..Self::new(clock) }
    }

    /// Sets the reference to the connection's core, through its runtime.
    pub(super) fn set_core(&self, core: Weak<Adaptor>) {
        // The cell is still empty, since the link and the core are created together.
        let _set = self.core.set(core);
    }

    /// Stores the connection that was built.
    ///
    /// # Errors
    ///
    /// Returns the connection if the peer was closed in the meantime, or has a connection already.
    pub(super) fn build(
        &self,
        connection: Arc<dyn PeerConnection>,
    ) -> Result<(), Arc<dyn PeerConnection>> {
        let mut linked = self.connection.lock();
        match *linked {
            Linked::Building => {
                *linked = Linked::Built(connection);
                Ok(())
            }
            Linked::Built(_) | Linked::Released(_) => Err(connection),
        }
    }

    /// The connection; `None` before it is built and after it was closed.
    pub(super) fn get(&self) -> Option<Arc<dyn PeerConnection>> {
        match &*self.connection.lock() {
            Linked::Built(connection) => Some(Arc::clone(connection)),
            Linked::Building | Linked::Released(_) => None,
        }
    }

    /// The connection, or an error that says why there is none.
    pub(super) fn connection(&self) -> Result<Arc<dyn PeerConnection>, OperationError> {
        match &*self.connection.lock() {
            Linked::Building => Err(OperationError::NotBuilt),
            Linked::Built(connection) => Ok(Arc::clone(connection)),
            Linked::Released(_) => Err(OperationError::Closed),
        }
    }

    /// Whether the local description has all of its candidates. The last gathering state that the
    /// handler was given may belong to an earlier description, since `webrtc` does not report that
    /// gathering begins again.
    pub(super) async fn is_gathered(&self) -> bool {
        let Some(connection) = self.get() else { return false };
        let Some(description) = connection.local_description().await else { return false };
        let has = |found: fn(&str) -> bool| description.sdp.lines().any(found);
        // A description without media sections has no candidates.
        has(|line| line == "a=end-of-candidates") || !has(|line| line.starts_with("m="))
    }

    /// Keeps the notice with the connection's memory, if the connection was built with this crate's
    /// runtime. Returns whether the notice was kept.
    pub(super) fn watch_release(&self, notice: ReleaseNotice) -> bool {
        match self.core.get().and_then(Weak::upgrade) {
            Some(core) => {
                core.watch_release(notice);
                true
            }
            None => {
                notice.defuse();
                false
            }
        }
    }

    /// Drops the reference to the connection.
    pub(super) fn release(&self) {
        let mut linked = self.connection.lock();
        let weak = match &*linked {
            Linked::Building => None,
            Linked::Built(connection) => Some(Arc::downgrade(connection)),
            Linked::Released(_) => return,
        };
        let released = std::mem::replace(&mut *linked, Linked::Released(weak));
        drop(linked);
        drop(released);
    }

    /// The connection's current statistics.
    pub(super) async fn stats(&self) -> Option<StatsReport> {
        let connection = self.get()?;
        Some(stats::read(&*connection, &self.remotes, self.clock.now()).await)
    }

    /// Whether the DTLS transport is known to be closed.
    pub(super) async fn is_dtls_closed(&self) -> bool {
        let Some(connection) = self.get() else { return false };
        match transport(&*connection).await {
            Some(transport) => is_closed(&transport).await,
            None => false,
        }
    }

    /// Reports a data channel that `side` has created, and remembers its label. The channel is held
    /// weakly.
    pub(super) async fn add_channel(
        &self,
        channel: &Arc<dyn DataChannel>,
        side: Side,
        status: &Status,
    ) {
        let label = channel.label().await.unwrap_or_default();
        let (id, name) = (channel.id() as u64, &label);
        status.tell(|| EventKind::ChannelAdded { side, id, label: name });
        let mut channels = self.channels.lock();
        channels.retain(|known| known.channel.strong_count() > 0);
        channels.push(Channel { label, channel: Arc::downgrade(channel) });
    }
}

impl Retention for Link {
    fn retained_by(&self) -> Vec<RetainedBy> {
        let mut holders = Vec::new();
        if let Linked::Released(Some(connection)) = &*self.connection.lock()
            && connection.strong_count() > 0
        {
            holders.push(RetainedBy::Connection(connection.strong_count()));
        }
        let channels = self.channels.lock();
        let held = channels.iter().filter(|known| known.channel.strong_count() > 0);
        holders.extend(held.map(|known| RetainedBy::DataChannel(known.label.clone())));
        if holders.is_empty() && self.core.get().is_some_and(|core| core.strong_count() > 0) {
            holders.push(RetainedBy::Handle);
        }
        holders
    }
}
