//! Removes secrets from the texts of operations.

use std::error::Error;

use crate::event::{OperationEnd, Target};
use crate::monitor::options::{ERROR_BYTES, ERROR_CHAIN, NAME_BYTES};
use crate::monitor::report::{Detail, OperationOutcome, OperationTarget};
use crate::redact::{REDACTED, Redactor, Secrets};
use crate::runtime::Clock;

/// Returns the target of an operation without secrets.
pub(crate) fn clean_target(redactor: &Redactor, target: Target<'_>) -> OperationTarget {
    let name = |text: &str| redactor.text(text, Secrets::none(), NAME_BYTES);
    match target {
        Target::Peer(peer) => OperationTarget::Peer(peer.clone()),
        Target::UnknownPeer(id) => OperationTarget::UnknownPeer(name(id)),
        Target::Group(group) => OperationTarget::Group(name(group)),
        Target::All => OperationTarget::All,
    }
}

/// Parts of an operation that few operations have: details, and another clock than the system's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) values: Vec<(&'static str, Detail)>,
    pub(crate) clock: Clock,
}

impl Details {
    /// Removes secrets from the details.
    pub(crate) fn clean(&mut self, redactor: &Redactor, secrets: &Secrets) {
        for (name, value) in &mut self.values {
            match value {
                _ if Redactor::is_secret_name(name) => *value = Detail::Text(REDACTED.into()),
                Detail::Text(text) => *text = redactor.text(text, secrets, NAME_BYTES),
                Detail::Integer(_) | Detail::Number(_) | Detail::Flag(_) => {}
            }
        }
    }
}

/// An outcome whose texts may contain secrets. It is made where no lock is held, because formatting
/// an error calls foreign code.
pub(crate) enum RawOutcome {
    Completed(Option<String>),
    Failed(Vec<String>),
    Cancelled,
}

impl RawOutcome {
    pub(crate) fn of(end: &OperationEnd<'_>) -> Self {
        match end {
            OperationEnd::Completed(result) => Self::Completed(result.map(str::to_owned)),
            OperationEnd::Failed(error) => Self::Failed(chain(*error)),
            OperationEnd::Cancelled => Self::Cancelled,
        }
    }

    /// Removes secrets.
    pub(crate) fn clean(&self, redactor: &Redactor, secrets: &Secrets) -> OperationOutcome {
        match self {
            Self::Completed(result) => OperationOutcome::Completed(
                result.as_ref().map(|text| redactor.text(text, secrets, NAME_BYTES)),
            ),
            Self::Failed(chain) => {
                let texts = chain.iter().map(|text| redactor.text(text, secrets, ERROR_BYTES));
                OperationOutcome::Failed(texts.collect())
            }
            Self::Cancelled => OperationOutcome::Cancelled,
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
    // Some errors have the same text as their source.
    chain.dedup();
    chain
}
