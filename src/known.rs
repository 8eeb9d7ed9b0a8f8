//! What there is in this process, for the guard of tests.

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

/// Every peer that is registered.
pub(crate) static PEERS: Mutex<Vec<Weak<dyn KnownPeer>>> = Mutex::new(Vec::new());
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
    let peer: Weak<dyn KnownPeer> = Arc::downgrade(peer) as _;
    know(&PEERS, peer, |known| known.strong_count() > 0);
}

pub(crate) fn know_group(group: WeakTaskGroup, set: Option<u64>) {
    know(&GROUPS, KnownGroup { group, set }, |known| !known.group.is_gone());
}

fn know<T>(all: &Mutex<Vec<T>>, one: T, is_alive: impl Fn(&T) -> bool) {
    let mut all = all.lock();
    // When they have doubled, so that it costs the same for each.
    if all.len() == all.capacity() {
        all.retain(is_alive);
    }
    all.push(one);
}
