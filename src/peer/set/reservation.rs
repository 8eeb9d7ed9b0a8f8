//! A reserved place for a peer whose connection is being built.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};

use super::insert_error::InsertError;
use super::registry::Registry;
use crate::id::{GroupId, PeerId};
use crate::outcome::CloseReason;
use crate::peer::attach::attach;
use crate::peer::connection::Connection;
use crate::peer::life::End;
use crate::peer::owner::{Keeper, Owner, OwnerCell, Peer, WeakPeer};
use crate::peer::record::{Record, RecordOptions, Set};
use crate::peer::status::Status;
use crate::runtime::Runtime;

/// A reserved place in a set of peers, for a connection that is being built.
///
/// A reservation has the peer's id and counts towards the limits of the set, so that a peer is
/// refused before a socket is opened. Fill the reservation with [`insert`](Self::insert).
/// **Dropping it before that cancels it**: the place is free again, and nothing of the peer is
/// left. If the future that builds a connection owns the reservation and the parts of the
/// connection, a cancelled `open` of any stack leaves nothing behind:
///
/// ```
/// use std::sync::Arc;
/// use anypeer::peer::{Connection, InsertError};
/// use anypeer::{Peer, PeerOptions, Peers};
///
/// async fn open<C: Connection>(
///     peers: &Peers,
///     connect: impl Future<Output = C>,
/// ) -> Result<Peer, InsertError> {
///     let reservation = peers.reserve(PeerOptions::new())?;
///     let connection = connect.await; // If this is cancelled, so is the reservation.
///     reservation.insert(Arc::new(connection))
/// }
/// ```
///
/// A reservation counts as an open peer until it is dropped:
///
/// ```
/// use anypeer::{PeerOptions, Peers};
///
/// let peers = Peers::builder().max_peers(1).build();
/// let reservation = peers.reserve(PeerOptions::new().id("camera"))?;
/// assert!(peers.reserve(PeerOptions::new()).is_err(), "expected the set to be full");
/// drop(reservation);
/// assert!(peers.is_empty());
/// # Ok::<(), anypeer::peer::InsertError>(())
/// ```
#[must_use = "a reservation that is dropped is cancelled"]
pub struct Reservation {
    pub(super) status: Arc<Status>,
    pub(super) runtime: Runtime,
    pub(super) options: RecordOptions,
    pub(super) registry: Arc<Registry>,
    pub(super) data: Option<Arc<dyn Any + Send + Sync>>,
    pub(super) cell: OwnerCell,
    pub(super) is_filled: bool,
}

impl Reservation {
    /// The id that the peer will have.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.status.id
    }

    /// The group that the peer will belong to.
    #[must_use]
    pub fn group(&self) -> Option<&GroupId> {
        self.status.group.as_ref()
    }

    /// The runtime that the connection is to run on.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// A reference to the peer that the reservation is for. The connection's own handler can hold
    /// it. It can be upgraded once the reservation is filled. [`WeakPeer::closed`] also completes
    /// if the reservation is cancelled.
    #[must_use]
    pub fn peer(&self) -> WeakPeer {
        WeakPeer::new(Arc::clone(&self.status.life), Arc::clone(&self.cell))
    }

    /// Registers the connection.
    ///
    /// # Errors
    ///
    /// Returns [`InsertError::ShutDown`] if the set was shut down in the meantime. The connection
    /// is then dropped, without a call to any of its methods.
    pub fn insert(mut self, connection: Arc<dyn Connection>) -> Result<Peer, InsertError> {
        let registry = &self.registry;
        let (set, keeper): (Weak<dyn Set>, Weak<dyn Keeper>) =
            (Arc::downgrade(registry) as _, Arc::downgrade(registry) as _);
        let (status, runtime) = (Arc::clone(&self.status), self.runtime.clone());
        let data = self.data.take();
        let owner = registry.insert(|| {
            let record = Record::new(status, connection, runtime, self.options, data, set);
            Owner::new(record, keeper, Arc::clone(&self.cell))
        })?;
        self.is_filled = true;
        #[cfg(feature = "test-util")]
        crate::known::know_peer(&owner.record);
        attach(&owner.record);
        Ok(Peer::new(owner))
    }

    /// The status that the peer will have.
    #[cfg(feature = "webrtc")]
    pub(crate) fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// The budget for each callback of the peer's handler.
    #[cfg(feature = "webrtc")]
    pub(crate) fn handler_budget(&self) -> std::time::Duration {
        self.options.handler_budget
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.is_filled {
            self.registry.cancel(&self.status);
            self.status.life.ended.set(End { reason: CloseReason::OpenCancelled, mode: None });
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("id", self.id())
            .field("group", &self.group())
            .finish_non_exhaustive()
    }
}
