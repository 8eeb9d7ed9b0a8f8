//! The parts of a monitor that every record needs.

use super::clock::WallClock;
use super::live::Outlets;
use super::numbers::Counters;
use super::options::Limits;
use crate::candidate::Candidate;
use crate::redact::Redactor;

/// The parts of a monitor that every record needs: the limits of what is kept, the redactor, the
/// counters, and the outlets.
pub(super) struct Context {
    pub(super) clock: WallClock,
    pub(super) limits: Limits,
    pub(super) redactor: Redactor,
    pub(super) counters: Counters,
    pub(super) outlets: Outlets,
}

impl Context {
    /// Returns the candidate, without its address if addresses are removed.
    pub(super) fn candidate(&self, candidate: &Candidate) -> Candidate {
        if self.redactor.addresses { candidate.clone().redacted() } else { candidate.clone() }
    }
}
