//! The report of an operation.

use std::time::{Duration, SystemTime};

use crate::id::{OperationId, PeerId};
use crate::monitor::numbers::OutcomeKind;

/// Everything that is known of an operation: a call on a peer, a close, or an operation of the
/// application ([`Monitor::new_operation`](crate::monitor::Monitor::new_operation)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationInfo {
    /// The operation's id.
    pub id: OperationId,
    /// The name of what the operation does.
    pub kind: &'static str,
    /// The target of the operation.
    pub target: OperationTarget,
    /// The details that the application has added.
    pub details: Vec<(&'static str, Detail)>,
    /// When the operation was started.
    pub started_at: SystemTime,
    /// The time since the operation was started, or from its start to its end.
    pub duration: Duration,
    /// How the operation ended; `None` if it is in flight.
    pub outcome: Option<OperationOutcome>,
}

/// The target of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationTarget {
    /// The operation has no target.
    #[default]
    None,
    /// A peer.
    Peer(PeerId),
    /// An id that belongs to no peer.
    UnknownPeer(Box<str>),
    /// A group, by its id.
    Group(Box<str>),
    /// All peers of a set.
    All,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationOutcome {
    /// The operation succeeded. The text is its result, if it has one, such as the outcome of a
    /// close.
    Completed(Option<Box<str>>),
    /// The operation failed: the text of its error, and those of the error's sources.
    Failed(Box<[Box<str>]>),
    /// The operation, or its future, was dropped before it ended.
    Cancelled,
}

impl OperationOutcome {
    /// Returns a stable lower-case name, as used in JSON, logs and metrics: `completed`, `failed`
    /// or `canceled`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The outcome without its texts.
    pub(crate) const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Completed(_) => OutcomeKind::Completed,
            Self::Failed(_) => OutcomeKind::Failed,
            Self::Cancelled => OutcomeKind::Cancelled,
        }
    }
}

/// The value of a detail of an operation; see
/// [`OperationBuilder::detail`](crate::monitor::OperationBuilder::detail).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// A text.
    Text(Box<str>),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// A boolean.
    Flag(bool),
}

macro_rules! details {
    ($($from:ty => $variant:ident as $to:ty;)*) => {$(
        impl From<$from> for Detail {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        }
    )*};
}

details! {
    &str => Text as Box<str>;
    String => Text as Box<str>;
    i32 => Integer as i64;
    u32 => Integer as i64;
    i64 => Integer as i64;
    f64 => Number as f64;
    bool => Flag as bool;
}
