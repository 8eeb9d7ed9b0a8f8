//! The peers and task groups of this process, for the leak guard of tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::id::{GroupId, PeerId};
use crate::state::ConnectionState;
use crate::sync::Mutex;
use crate::task_info::WeakTaskGroup;

/// A peer, as the leak guard sees it.
pub(crate) trait KnownPeer: Send + Sync {
    /// Whether the connection has not ended.
    fn is_open(&self) -> bool;

    /// What the guard reports of the peer.
    fn describe(&self) -> PeerDescription;
}

/// What the leak guard reports of a peer.
pub(crate) struct PeerDescription {
    /// The number of the set that the peer belongs to.
    pub(crate) set: u64,
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(crate) state: Option<ConnectionState>,
    /// The local addresses of the peer's open sockets.
    pub(crate) sockets: Vec<SocketAddr>,
}

/// Every registered peer, by its address in memory. A peer is removed when its record is dropped,
/// since a weak reference that stays would keep the record's memory allocated.
pub(crate) static PEERS: Mutex<BTreeMap<usize, Weak<dyn KnownPeer>>> = Mutex::new(BTreeMap::new());
/// Every task group.
pub(crate) static GROUPS: Mutex<Vec<KnownGroup>> = Mutex::new(Vec::new());

/// A task group, as the leak guard sees it.
#[derive(Clone)]
pub(crate) struct KnownGroup {
    pub(crate) group: WeakTaskGroup,
    /// The number of the set of peers that the group belongs to; `None` if it belongs to no set.
    pub(crate) set: Option<u64>,
}

/// Returns a number that no other set of peers has.
pub(crate) fn next_set() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Adds a peer to [`PEERS`].
pub(crate) fn know_peer<P: KnownPeer + 'static>(peer: &Arc<P>) {
    let known: Weak<dyn KnownPeer> = Arc::downgrade(peer) as _;
    PEERS.lock().insert(address(&**peer), known);
}

/// Removes a peer from [`PEERS`]. The drop of the peer's record calls this.
pub(crate) fn forget_peer<P>(peer: &P) {
    let forgotten = PEERS.lock().remove(&address(peer));
    drop(forgotten);
}

fn address<P>(peer: &P) -> usize {
    std::ptr::from_ref(peer).addr()
}

/// Adds a task group to [`GROUPS`], and removes groups that are gone.
pub(crate) fn know_group(group: WeakTaskGroup, set: Option<u64>) {
    let mut all = GROUPS.lock();
    // Gone groups are removed only when the vector is full, so the cost per group is constant.
    if all.len() == all.capacity() {
        all.retain(|known| !known.group.is_gone());
    }
    all.push(KnownGroup { group, set });
}
