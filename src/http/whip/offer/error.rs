//! Errors in an offer.

use std::fmt;

/// What is wrong with an offer, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferError {
    reason: &'static str,
    line: Option<usize>,
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "The offer is not valid: line {line} {}", self.reason),
            None => write!(f, "The offer is not valid: it {}", self.reason),
        }
    }
}

/// An error in the offer as a whole.
pub(super) fn whole(reason: &'static str) -> OfferError {
    OfferError { reason, line: None }
}

/// An error in a line.
pub(super) fn at(line: usize, reason: &'static str) -> OfferError {
    OfferError { reason, line: Some(line) }
}
