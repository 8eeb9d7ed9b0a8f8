//! What every record of a monitor needs.

use super::clock::WallClock;
use super::live::Outlets;
use super::numbers::Counters;
use super::options::Limits;
use crate::candidate::Candidate;
use crate::redact::Redactor;

/// What every record of a monitor needs: how much to keep, what to leave out, what to count, and whom
/// to tell.
pub(super) struct Context {
    pub(super) clock: WallClock,
    pub(super) limits: Limits,
    pub(super) redactor: Redactor,
    pub(super) counters: Counters,
    pub(super) outlets: Outlets,
}

impl Context {
    /// A candidate as it may be kept.
    pub(super) fn candidate(&self, candidate: &Candidate) -> Candidate {
        if self.redactor.addresses { candidate.clone().redacted() } else { candidate.clone() }
    }
}
