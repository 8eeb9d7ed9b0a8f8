//! `Update`: an item of a stream of updates.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crate::id::{GroupId, PeerId};
use crate::monitor::report::{OperationInfo, TimelineEvent};

/// Something that happened, as an item of [`Updates`](crate::monitor::Updates). Its texts contain
/// no secrets.
pub struct Update {
    id: UpdateId,
    kind: UpdateKind,
    #[cfg(feature = "http")]
    memo: std::sync::OnceLock<Box<dyn std::any::Any + Send + Sync>>,
}

/// What happened, as part of an [`Update`].
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

    /// Returns the update's id.
    #[must_use]
    pub fn id(&self) -> UpdateId {
        self.id
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> &UpdateKind {
        &self.kind
    }

    /// Returns a value that is made from the update once, by the first reader, and shared with all
    /// others. `None` if the first reader made a value of another type.
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

/// The id of an update: its position among all updates of one monitor.
///
/// As text it is 8 hexadecimal digits, a dash and a number. The digits tell monitors apart,
/// including those of an earlier process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpdateId {
    /// The random number of the monitor.
    pub(super) epoch: u32,
    /// The number of the update, from 1.
    pub(super) seq: u64,
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch, self.seq)
    }
}

/// The error of a text that is not an [`UpdateId`].
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

/// The reader of [`Updates`](crate::monitor::Updates) was too slow, or continued after an update of
/// another monitor, and has missed updates.
///
/// The stream continues with the updates that are made from now on. The reader has to read the
/// current state from the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// The number of updates that were missed; `None` if the stream was to continue after an update
    /// of another monitor.
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
