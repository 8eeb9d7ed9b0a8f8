//! What became of many closes.

use std::fmt;
use std::time::Duration;

use crate::id::PeerId;
use crate::outcome::Outcome;
use crate::task::StuckTasks;

/// What became of one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerReport {
    /// Which peer.
    pub peer: PeerId,
    /// What became of it.
    pub outcome: Outcome,
    /// How long its close took.
    pub took: Duration,
    /// Those of its tasks that would not stop within the bound of the close.
    pub stuck: StuckTasks,
}

/// What became of every peer of a group, or of all.
///
/// One entry for each peer that was open when it was asked for, in no particular order. Its text
/// (`{}`) has the numbers, and names what did not close; `{:#}` has a line for every peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// A report per peer.
    pub peers: Vec<PeerReport>,
    /// Whether there was anything of that name: false for a group without an open peer, where
    /// nothing was closed. Always true for a close of all.
    pub found: bool,
    /// Those of the set's own [tasks](crate::Peers::tasks) that would not stop. A
    /// [`shutdown`](crate::Peers::shutdown) ends them, and no other close does.
    pub stuck: StuckTasks,
}

impl Report {
    pub(super) fn new(found: bool, peers: usize) -> Self {
        Self { peers: Vec::with_capacity(peers), found, stuck: StuckTasks::default() }
    }

    /// How many are known to be gone.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.peers.iter().filter(|report| report.outcome.is_closed()).count()
    }

    /// Whether every one is known to be gone.
    #[must_use]
    pub fn all_closed(&self) -> bool {
        self.closed() == self.peers.len()
    }

    /// The outcome of `peer`, if it was among them.
    #[must_use]
    pub fn outcome(&self, peer: &str) -> Option<&Outcome> {
        self.peers.iter().find(|report| report.peer.as_str() == peer).map(|report| &report.outcome)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.found {
            return f.write_str("not found");
        }
        write!(f, "{} of {} closed", self.closed(), self.peers.len())?;
        for PeerReport { peer, outcome, stuck, .. } in &self.peers {
            if f.alternate() || !outcome.is_closed() {
                write!(f, "\n  {peer}: {outcome}")?;
            }
            if !stuck.is_empty() {
                write!(f, "\n  {peer}: {stuck}")?;
            }
        }
        if !self.stuck.is_empty() {
            write!(f, "\n  {}", self.stuck)?;
        }
        Ok(())
    }
}
