//! What there is in this process, for the guard of tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::id::{GroupId, PeerId};
use crate::state::ConnectionState;
use crate::sync::Mutex;
use crate::task_info::WeakTaskGroup;

/// A peer, as far as the guard is concerned.
pub(crate) trait KnownPeer: Send + Sync {
    fn is_open(&self) -> bool;

    fn describe(&self) -> PeerDescription;
}

pub(crate) struct PeerDescription {
    /// The set that it is in.
    pub(crate) set: u64,
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(crate) state: Option<ConnectionState>,
    /// The addresses of its open sockets.
    pub(crate) sockets: Vec<SocketAddr>,
}

/// Every peer that is registered, by its address. Each goes with its record: a weak reference that
/// is kept keeps memory.
pub(crate) static PEERS: Mutex<BTreeMap<usize, Weak<dyn KnownPeer>>> = Mutex::new(BTreeMap::new());
/// Every group of tasks.
pub(crate) static GROUPS: Mutex<Vec<KnownGroup>> = Mutex::new(Vec::new());

#[derive(Clone)]
pub(crate) struct KnownGroup {
    pub(crate) group: WeakTaskGroup,
    /// The set of peers that it belongs to.
    pub(crate) set: Option<u64>,
}

/// A number that no other set of peers has.
pub(crate) fn next_set() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn know_peer<P: KnownPeer + 'static>(peer: &Arc<P>) {
    let known: Weak<dyn KnownPeer> = Arc::downgrade(peer) as _;
    PEERS.lock().insert(address(&**peer), known);
}

/// To be called by the peer's drop.
pub(crate) fn forget_peer<P>(peer: &P) {
    let forgotten = PEERS.lock().remove(&address(peer));
    drop(forgotten);
}

fn address<P>(peer: &P) -> usize {
    std::ptr::from_ref(peer).addr()
}

pub(crate) fn know_group(group: WeakTaskGroup, set: Option<u64>) {
    let mut all = GROUPS.lock();
    // When they have doubled, so that it costs the same for each.
    if all.len() == all.capacity() {
        all.retain(|known| !known.group.is_gone());
    }
    all.push(KnownGroup { group, set });
}
