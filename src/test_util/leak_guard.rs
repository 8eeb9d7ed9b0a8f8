//! A guard that fails tests which leave peers, tasks or sockets behind.
//!
//! ```
//! use anypeer::Peers;
//! use anypeer::test_util::LeakGuard;
//!
//! let peers = Peers::new();
//! let guard = LeakGuard::of(&peers);
//! // .. the test ..
//! drop(peers);
//! drop(guard); // Panics, and names what is left, if anything is.
//! ```

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

/// How long a guard waits for what is on its way out, unless another time is set.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// Fails the test in which it is dropped if something is left of what was opened under it.
///
/// It waits a while ([`patience`](Self::patience)) for what is on its way out, and then panics
/// with the names of what is left ([`Leaks`]); not while the thread is panicking already. Declare
/// it before what it watches, so that it is dropped after it. In asynchronous tests end with
/// [`finish`](Self::finish), which does not block the executor that the closes run on.
#[must_use = "it looks when it is dropped"]
pub struct LeakGuard {
    scope: Scope,
    patience: Duration,
    over: bool,
}

enum Scope {
    Set(u64),
    /// All but what there was at the beginning.
    Process {
        peers: Vec<Weak<dyn KnownPeer>>,
        groups: Vec<WeakTaskGroup>,
    },
}

impl LeakGuard {
    /// Watches one set of peers, its tasks and theirs. For tests that share their process.
    pub fn of(peers: &Peers) -> Self {
        Self::new(Scope::Set(peers.number()))
    }

    /// Watches the whole process: every peer, of any set, and every task group that there was not
    /// before. For a test that has its process to itself.
    pub fn process() -> Self {
        let peers = PEERS.lock().values().cloned().collect();
        let groups = GROUPS.lock().iter().map(|known| known.group.clone()).collect();
        Self::new(Scope::Process { peers, groups })
    }

    fn new(scope: Scope) -> Self {
        Self { scope, patience: DEFAULT_PATIENCE, over: false }
    }

    /// How long to wait for what is on its way out.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What is left now.
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

    fn watches(&self, set: u64, peer: &Weak<dyn KnownPeer>) -> bool {
        match &self.scope {
            Scope::Set(watched) => *watched == set,
            Scope::Process { peers, .. } => !peers.iter().any(|known| Weak::ptr_eq(known, peer)),
        }
    }

    fn watches_group(&self, KnownGroup { group, set }: &KnownGroup) -> bool {
        match &self.scope {
            Scope::Set(watched) => *set == Some(*watched),
            Scope::Process { groups, .. } => !groups.iter().any(|known| known.is_same(group)),
        }
    }

    /// Waits for what is on its way out, and fails the test if something is left.
    ///
    /// # Panics
    ///
    /// If something is left; the message names it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end it has looked no more than a drop of the guard would.
    pub async fn finish(mut self) {
        self.settle().await;
        self.over = true;
        self.fail();
    }

    async fn settle(&self) {
        let clock = Clock::system();
        let deadline = clock.after(self.patience);
        while !self.leaks().is_empty() && clock.now() < deadline {
            clock.sleep(LOOK).await;
        }
    }

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
        // Where blocking is refused it looks at once.
        let _refused = wait(&mut Box::pin(self.settle()), self.patience);
        self.fail();
    }
}

impl fmt::Debug for LeakGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakGuard").field("leaks", &self.leaks()).finish_non_exhaustive()
    }
}

/// What is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaks {
    /// Peers that were not closed, with their sockets.
    pub peers: Vec<LeakedPeer>,
    /// Tasks that have not ended.
    pub tasks: Vec<TaskInfo>,
    /// How many more have not, which were only [counted](crate::task::TaskGroup::track).
    pub unnamed_tasks: usize,
}

/// A peer that was not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeakedPeer {
    /// Its id.
    pub id: PeerId,
    /// Its group, if it has one.
    pub group: Option<GroupId>,
    /// The state of its connection, if that is known.
    pub state: Option<ConnectionState>,
    /// The addresses of its open sockets.
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
