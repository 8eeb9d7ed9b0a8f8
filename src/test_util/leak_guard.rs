//! A guard that fails tests which leak peers, tasks or sockets.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;

use crate::id::{GroupId, PeerId};
use crate::known::{GROUPS, KnownGroup, KnownPeer, PEERS, PeerDescription};
use crate::peer::Peers;
use crate::runtime::{Clock, wait};
use crate::state::ConnectionState;
use crate::task::{TaskInfo, WeakTaskGroup};

/// How long a guard waits for closes and tasks that are still ending, unless another time is set.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

/// How often a guard checks while it waits.
const LOOK: Duration = Duration::from_millis(5);

/// Fails a test that leaks peers, sockets or tasks.
///
/// When the guard is dropped, it waits up to [`patience`](Self::patience) for closes and tasks that
/// are still ending. If something is left then, the guard panics, and the message names what is
/// left ([`Leaks`]). It does not panic while the thread is already panicking.
///
/// Peers have to be dropped or closed before the guard is dropped. Variables are dropped in the
/// reverse order of their declaration, so declare the guard before any [`Peer`](crate::Peer):
///
/// ```
/// use anypeer::Peers;
/// use anypeer::test_util::LeakGuard;
///
/// // The body of a `#[test]`.
/// let peers = Peers::new();
/// let _guard = LeakGuard::of(&peers);
/// // .. open peers, and drop or close them ..
/// ```
///
/// In asynchronous tests, end with [`finish`](Self::finish), which does not block the executor that
/// the closes run on:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::test_util::LeakGuard;
///
/// // The body of an asynchronous test.
/// async fn a_session_leaves_nothing() {
///     let peers = Peers::new();
///     let guard = LeakGuard::of(&peers);
///     // .. open peers ..
///     peers.close_all().await;
///     guard.finish().await;
/// }
/// # futures::executor::block_on(a_session_leaves_nothing());
/// ```
#[must_use = "the guard checks when it is dropped"]
pub struct LeakGuard {
    scope: Scope,
    patience: Duration,
    /// Whether [`finish`](Self::finish) has checked already.
    over: bool,
}

/// What a guard watches.
enum Scope {
    /// The set of peers with this number.
    Set(u64),
    /// The process, except for the peers and groups that existed when the guard was created.
    Process { peers: Vec<Weak<dyn KnownPeer>>, groups: Vec<WeakTaskGroup> },
}

impl LeakGuard {
    /// Watches one set: its peers, their tasks, and the set's own tasks. For tests that share their
    /// process with other tests.
    pub fn of(peers: &Peers) -> Self {
        Self::new(Scope::Set(peers.number()))
    }

    /// Watches the whole process: every peer and every task group that is created after this call.
    /// For a test that has a process of its own.
    pub fn process() -> Self {
        let peers = PEERS.lock().values().cloned().collect();
        let groups = GROUPS.lock().iter().map(|known| known.group.clone()).collect();
        Self::new(Scope::Process { peers, groups })
    }

    fn new(scope: Scope) -> Self {
        Self { scope, patience: DEFAULT_PATIENCE, over: false }
    }

    /// Sets how long to wait for closes and tasks that are still ending. [`DEFAULT_PATIENCE`] by
    /// default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns what is left now, without waiting.
    #[must_use]
    pub fn leaks(&self) -> Leaks {
        let peers: Vec<_> = PEERS.lock().values().filter_map(Weak::upgrade).collect();
        let groups: Vec<_> = GROUPS.lock().clone();
        let groups = groups.iter().filter(|group| self.watches_group(group));
        let (mut tasks, mut unnamed_tasks) = (Vec::new(), 0);
        for known in groups {
            unnamed_tasks += known.group.counted();
            tasks.extend(known.group.tasks());
        }
        let peers = peers.iter().filter_map(|peer| {
            let described = peer.describe();
            let PeerDescription { set, id, group, state, sockets } = described;
            let is_left = peer.is_open() || !sockets.is_empty();
            let peer = std::sync::Arc::downgrade(peer);
            let is_watched = self.watches(set, &peer);
            (is_left && is_watched).then_some(LeakedPeer { id, group, state, sockets })
        });
        Leaks { peers: peers.collect(), tasks, unnamed_tasks }
    }

    /// Whether the guard watches a peer of `set`.
    fn watches(&self, set: u64, peer: &Weak<dyn KnownPeer>) -> bool {
        match &self.scope {
            Scope::Set(watched) => *watched == set,
            Scope::Process { peers, .. } => !peers.iter().any(|known| Weak::ptr_eq(known, peer)),
        }
    }

    /// Whether the guard watches a task group.
    fn watches_group(&self, KnownGroup { group, set }: &KnownGroup) -> bool {
        match &self.scope {
            Scope::Set(watched) => *set == Some(*watched),
            Scope::Process { groups, .. } => !groups.iter().any(|known| known.is_same(group)),
        }
    }

    /// Waits up to [`patience`](Self::patience) for closes and tasks that are still ending, and
    /// fails the test if something is left.
    ///
    /// # Panics
    ///
    /// Panics if something is left. The message names what is left.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the guard is dropped with it, which blocks the
    /// thread and panics as any other drop of a guard.
    pub async fn finish(mut self) {
        self.settle().await;
        self.over = true;
        self.fail();
    }

    /// Waits until nothing is left, up to the patience.
    async fn settle(&self) {
        let clock = Clock::system();
        let deadline = clock.after(self.patience);
        while !self.leaks().is_empty() && clock.now() < deadline {
            clock.sleep(LOOK).await;
        }
    }

    /// Panics if something is left.
    #[track_caller]
    fn fail(&self) {
        let leaks = self.leaks();
        assert!(leaks.is_empty(), "{leaks}");
    }
}

impl Drop for LeakGuard {
    #[track_caller]
    fn drop(&mut self) {
        if self.over || std::thread::panicking() {
            return;
        }
        // If blocking is refused on this thread, the guard checks without waiting.
        let _refused = wait(&mut Box::pin(self.settle()), self.patience);
        self.fail();
    }
}

impl fmt::Debug for LeakGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakGuard").field("leaks", &self.leaks()).finish_non_exhaustive()
    }
}

/// What a test has leaked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaks {
    /// Peers that were not closed, or have open sockets.
    pub peers: Vec<LeakedPeer>,
    /// Tasks that have not ended.
    pub tasks: Vec<TaskInfo>,
    /// The number of further tasks that have not ended, and were only
    /// [counted](crate::task::TaskGroup::track).
    pub unnamed_tasks: usize,
}

/// A peer that was not closed, or has open sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeakedPeer {
    /// The peer's id.
    pub id: PeerId,
    /// The peer's group, if it has one.
    pub group: Option<GroupId>,
    /// The state of the peer's connection; `None` if it is not known.
    pub state: Option<ConnectionState>,
    /// The local addresses of the peer's open sockets.
    pub sockets: Vec<SocketAddr>,
}

impl Leaks {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.tasks.is_empty() && self.unnamed_tasks == 0
    }
}

impl fmt::Display for Leaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing was left behind");
        }
        f.write_str("left behind:")?;
        for LeakedPeer { id, group, state, sockets } in &self.peers {
            write!(f, "\n  peer {id}")?;
            if let Some(group) = group {
                write!(f, " of group {group}")?;
            }
            if let Some(state) = state {
                write!(f, ", {state}")?;
            }
            for socket in sockets {
                write!(f, "\n    socket {socket}")?;
            }
        }
        for task in &self.tasks {
            write!(f, "\n  task {task}")?;
            if let Some(peer) = &task.peer {
                write!(f, ", of peer {peer}")?;
            }
        }
        if self.unnamed_tasks > 0 {
            write!(f, "\n  {} tasks that were only counted", self.unnamed_tasks)?;
        }
        Ok(())
    }
}
