//! What a follower is told.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crate::id::{GroupId, PeerId};
use crate::monitor::report::{OperationInfo, TimelineEvent};

/// Something that happened, as whoever follows live is told. Its texts have no secrets.
pub struct Update {
    id: UpdateId,
    kind: UpdateKind,
    #[cfg(feature = "http")]
    memo: std::sync::OnceLock<Box<dyn std::any::Any + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UpdateKind {
    /// Something happened to a connection.
    Connection {
        /// The connection's [number](crate::monitor::ConnectionInfo::number).
        number: u64,
        /// The connection's id.
        peer: PeerId,
        /// The group that the connection belongs to.
        group: Option<GroupId>,
        /// When it happened.
        at: SystemTime,
        /// What happened.
        event: TimelineEvent,
    },
    /// An operation was started.
    OperationStarted(OperationInfo),
    /// An operation has ended.
    OperationEnded(OperationInfo),
}

impl Update {
    pub(super) fn new(id: UpdateId, kind: UpdateKind) -> Self {
        Self {
            id,
            kind,
            #[cfg(feature = "http")]
            memo: std::sync::OnceLock::new(),
        }
    }

    /// The update's place.
    #[must_use]
    pub fn id(&self) -> UpdateId {
        self.id
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &UpdateKind {
        &self.kind
    }

    /// What readers make of the update, made once, by the first of them. `None` if the first reader
    /// made something of another type.
    #[cfg(feature = "http")]
    pub(crate) fn memo<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce(&Self) -> T,
    ) -> Option<&T> {
        self.memo.get_or_init(|| Box::new(make(self))).downcast_ref()
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The place of an update among all updates of one monitor. Its text is `epoch-seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpdateId {
    /// Tells monitors apart, including those of an earlier process.
    pub(super) epoch: u32,
    pub(super) seq: u64,
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch, self.seq)
    }
}

/// The text is not an update's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseUpdateIdError;

impl fmt::Display for ParseUpdateIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an update's id is 8 hexadecimal digits, a dash and a number")
    }
}

impl std::error::Error for ParseUpdateIdError {}

impl FromStr for UpdateId {
    type Err = ParseUpdateIdError;

    fn from_str(text: &str) -> Result<Self, ParseUpdateIdError> {
        let (epoch, seq) = text.split_once('-').ok_or(ParseUpdateIdError)?;
        let is_hex = epoch.len() == 8 && epoch.bytes().all(|b| b.is_ascii_hexdigit());
        let is_number = !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit());
        match (u32::from_str_radix(epoch, 16), seq.parse()) {
            (Ok(epoch), Ok(seq)) if is_hex && is_number => Ok(Self { epoch, seq }),
            _ => Err(ParseUpdateIdError),
        }
    }
}

/// Updates are lost that the follower has not read. It goes on with those that come from now on, and
/// has to look up how things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// How many updates are lost; `None` if the follower's place is one of another monitor.
    pub missed: Option<u64>,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.missed {
            Some(missed) => {
                write!(f, "the follower lagged too far behind, and missed {missed} updates")
            }
            None => f.write_str("the follower comes from another monitor, and missed some updates"),
        }
    }
}

impl std::error::Error for Lagged {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_id_is_refused() {
        for text in ["", "-", "0-1", "00000000-", "00000000-+1", "+0000000-1", "0000000é-1"] {
            assert_eq!(text.parse::<UpdateId>(), Err(ParseUpdateIdError), "{text:?}");
        }
    }
}
