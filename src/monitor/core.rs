//! What all records of a monitor share.

use super::clock::Clock;
use super::counters::Counters;
use super::operations::Operations;
use super::options::Limits;
use super::tasks::Tasks;
use crate::candidate::Candidate;
use crate::redact::Redactor;

/// It knows no connection, so that records may hold it.
pub(super) struct Core {
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) redactor: Redactor,
    pub(super) counters: Counters,
    pub(super) operations: Operations,
    pub(super) tasks: Tasks,
}

impl Core {
    pub(super) fn new(limits: Limits, redactor: Redactor) -> Self {
        Self {
            clock: Clock::start(),
            limits,
            redactor,
            counters: Counters::new(),
            operations: Operations::new(limits),
            tasks: Tasks::new(limits),
        }
    }

    /// A candidate as it may be kept.
    pub(super) fn candidate(&self, candidate: &Candidate) -> Candidate {
        if self.redactor.addresses { candidate.clone().redacted() } else { candidate.clone() }
    }
}
