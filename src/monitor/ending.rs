//! How an operation ended.

use std::error::Error;

use super::connection::OperationCounts;
use super::options::{ERROR_BYTES, ERROR_CHAIN, NAME_BYTES};
use crate::event::OperationEnd;
use crate::redact::{Redactor, Secrets};

/// How an operation ended, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// With a result; in words, where it has any.
    Completed(Option<Box<str>>),
    /// With an error: its text and those of its sources, at least one.
    Failed(Box<[Box<str>]>),
    /// Its future was dropped before it was ready.
    Canceled,
}

impl Ending {
    /// A stable lower-case name of its kind.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Canceled => "canceled",
        }
    }

    pub(super) fn kind(&self) -> EndKind {
        match self {
            Self::Completed(_) => EndKind::Completed,
            Self::Failed(_) => EndKind::Failed,
            Self::Canceled => EndKind::Canceled,
        }
    }
}

/// The kind of an end, which is all that the numbers need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EndKind {
    Completed,
    Failed,
    Canceled,
}

impl OperationCounts {
    #[inline]
    pub(super) fn add(&mut self, end: EndKind) {
        match end {
            EndKind::Completed => self.completed += 1,
            EndKind::Failed => self.failed += 1,
            EndKind::Canceled => self.canceled += 1,
        }
    }
}

/// An end with its texts as they came, taken where no lock is held: an error's text is its own
/// code.
pub(super) enum RawEnd {
    Completed(Option<String>),
    Failed(Vec<String>),
    Canceled,
}

impl RawEnd {
    pub(super) fn of(end: &OperationEnd<'_>) -> Self {
        match end {
            OperationEnd::Completed(result) => Self::Completed(result.map(str::to_owned)),
            OperationEnd::Failed(error) => Self::Failed(chain(*error)),
            OperationEnd::Cancelled => Self::Canceled,
        }
    }

    /// As it may be kept.
    pub(super) fn clean(&self, redactor: &Redactor, secrets: &Secrets) -> Ending {
        match self {
            Self::Completed(result) => Ending::Completed(
                result.as_ref().map(|text| redactor.text(text, secrets, NAME_BYTES)),
            ),
            Self::Failed(chain) => {
                let texts = chain.iter().map(|text| redactor.text(text, secrets, ERROR_BYTES));
                Ending::Failed(texts.collect())
            }
            Self::Canceled => Ending::Canceled,
        }
    }
}

/// The texts of an error and of its sources.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let sources = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        let error: &(dyn Error + 'static) = *error;
        error.source()
    });
    let mut chain: Vec<_> = sources.take(ERROR_CHAIN).map(ToString::to_string).collect();
    // An error that says what its source says.
    chain.dedup();
    chain
}
