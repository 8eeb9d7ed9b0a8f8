//! The outcomes of several closes.

use std::fmt;
use std::time::Duration;

use crate::id::PeerId;
use crate::outcome::Outcome;
use crate::task::StuckTasks;

/// The outcome of the close of one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerReport {
    /// The peer's id.
    pub peer: PeerId,
    /// The outcome of the peer's close.
    pub outcome: Outcome,
    /// How long the close took, without the wait for the peer's tasks.
    pub took: Duration,
    /// The peer's tasks that did not stop within the timeout of the close.
    pub stuck: StuckTasks,
}

/// The outcomes of the closes of a group, or of all peers.
///
/// The report has one entry for each peer that was not yet closed when the close began, in no
/// particular order. Its `Display` output has the number of closed peers, and names the peers that
/// did not close and the tasks that did not stop. With `{:#}`, it also has a line for each closed
/// peer.
///
/// ```
/// use anypeer::peer::Report;
///
/// fn print(report: &Report) {
///     for peer in &report.peers {
///         println!("{}: {} in {:?}", peer.peer, peer.outcome, peer.took);
///         for task in &peer.stuck.named {
///             println!("  {task} has not stopped");
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One entry for each peer.
    pub peers: Vec<PeerReport>,
    /// Whether the group was found: false for a group without peers, or with only closed ones,
    /// where nothing was closed. Always true for a close of all peers.
    pub found: bool,
    /// The set's own [tasks](crate::Peers::tasks) that did not stop. Only a
    /// [`shutdown`](crate::Peers::shutdown) ends these tasks.
    pub stuck: StuckTasks,
}

impl Report {
    pub(super) fn new(found: bool, peers: usize) -> Self {
        Self { peers: Vec::with_capacity(peers), found, stuck: StuckTasks::default() }
    }

    /// The number of peers that are known to be closed.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.peers.iter().filter(|report| report.outcome.is_closed()).count()
    }

    /// Whether every peer is known to be closed.
    ///
    /// Tasks that did not stop do not count. One [`Unconfirmed`](Outcome::Unconfirmed) outcome
    /// makes this false.
    #[must_use]
    pub fn all_closed(&self) -> bool {
        self.closed() == self.peers.len()
    }

    /// The outcome of the peer with the id `peer`; `None` if the peer is not in the report.
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
