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

/// The reference to a `PeerConnection`, until it is closed; and the traces of it after that.
pub(super) struct Link {
    clock: Clock,
    connection: Mutex<Linked>,
    /// Alive as long as the connection's core is, whatever handle keeps it.
    core: OnceLock<Weak<Adaptor>>,
    channels: Mutex<Vec<Channel>>,
    remotes: RemoteCandidates,
    pub(super) queued: CandidateQueue,
}

#[derive(Default)]
enum Linked {
    #[default]
    Building,
    Built(Arc<dyn PeerConnection>),
    Released(Option<Weak<dyn PeerConnection>>),
}

struct Channel {
    label: String,
    channel: Weak<dyn DataChannel>,
}

impl Link {
    /// That of a connection that is to be built, to a peer of that clock.
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

    pub(super) fn built(connection: Arc<dyn PeerConnection>, clock: Clock) -> Self {
        Self { connection: Mutex::new(Linked::Built(connection)), ..Self::new(clock) }
    }

    pub(super) fn set_core(&self, core: Weak<Adaptor>) {
        // Set once, where both are made.
        let _set = self.core.set(core);
    }

    /// Completes the link; gives the connection back if it was closed meanwhile.
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

    pub(super) fn get(&self) -> Option<Arc<dyn PeerConnection>> {
        match &*self.connection.lock() {
            Linked::Built(connection) => Some(Arc::clone(connection)),
            Linked::Building | Linked::Released(_) => None,
        }
    }

    /// The connection, or why there is none.
    pub(super) fn connection(&self) -> Result<Arc<dyn PeerConnection>, OperationError> {
        match &*self.connection.lock() {
            Linked::Building => Err(OperationError::NotBuilt),
            Linked::Built(connection) => Ok(Arc::clone(connection)),
            Linked::Released(_) => Err(OperationError::Closed),
        }
    }

    /// Whether the local description has all of its candidates. What a handler was told last may be
    /// of another description: `webrtc` does not tell when gathering begins again.
    pub(super) async fn is_gathered(&self) -> bool {
        let Some(connection) = self.get() else { return false };
        let Some(description) = connection.local_description().await else { return false };
        let has = |found: fn(&str) -> bool| description.sdp.lines().any(found);
        // Without any media there is nothing to gather for.
        has(|line| line == "a=end-of-candidates") || !has(|line| line.starts_with("m="))
    }

    /// Keeps the notice with the connection's memory, if that is ours to see.
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

    /// Lets go of the connection.
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

    /// What the connection knows of itself now.
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

    /// Remembers a channel by its label, weakly; tells that `side` has made it.
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
