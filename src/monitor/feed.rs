//! What happens, live: a ring that any number of readers follow at their own pace.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use super::snapshot::OperationInfo;
use super::timeline::Happening;
use crate::id::{GroupId, PeerId};
use crate::sync::{Event, Mutex, wake_all};

/// Something that happened, as it is told live: without secrets, texts cut.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Update {
    /// Something happened to a connection.
    Connection {
        /// Its [number](super::ConnectionInfo::number).
        number: u64,
        /// Its id.
        peer: PeerId,
        /// The group that it belongs to.
        group: Option<GroupId>,
        /// When.
        at: SystemTime,
        /// What.
        what: Happening,
    },
    /// An operation was started.
    OperationStarted(OperationInfo),
    /// An operation has ended.
    OperationEnded(OperationInfo),
}

/// The place of an update among all of one monitor. Its text is `epoch-seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpdateId {
    /// Tells monitors apart, also one from that of the process before.
    epoch: u32,
    seq: u64,
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch, self.seq)
    }
}

/// The text is no update's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateIdError;

impl fmt::Display for UpdateIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an update's id is 8 hexadecimal digits, a dash and a number")
    }
}

impl std::error::Error for UpdateIdError {}

impl FromStr for UpdateId {
    type Err = UpdateIdError;

    fn from_str(text: &str) -> Result<Self, UpdateIdError> {
        let (epoch, seq) = text.split_once('-').ok_or(UpdateIdError)?;
        let is_hex = epoch.len() == 8 && epoch.bytes().all(|b| b.is_ascii_hexdigit());
        let is_number = !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit());
        match (u32::from_str_radix(epoch, 16), seq.parse()) {
            (Ok(epoch), Ok(seq)) if is_hex && is_number => Ok(Self { epoch, seq }),
            _ => Err(UpdateIdError),
        }
    }
}

/// One update in the ring.
pub struct Told {
    id: UpdateId,
    update: Update,
    #[cfg(feature = "http")]
    text: std::sync::OnceLock<Box<str>>,
}

impl Told {
    /// Its place.
    #[must_use]
    pub fn id(&self) -> UpdateId {
        self.id
    }

    /// What happened.
    #[must_use]
    pub fn update(&self) -> &Update {
        &self.update
    }

    /// The update as a text, made once for all readers.
    #[cfg(feature = "http")]
    pub(crate) fn text(&self, make: impl FnOnce(&Self) -> Box<str>) -> &str {
        self.text.get_or_init(|| make(self))
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("id", &self.id).field("update", &self.update).finish()
    }
}

/// What a reader hears next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Heard {
    /// The next update.
    Update(Arc<Told>),
    /// Updates are gone that the reader has not heard; it goes on with what is told from now on,
    /// and looks up how things are.
    Missed {
        /// How many; `None` if it followed another monitor before.
        count: Option<u64>,
    },
}

pub(super) struct Feed {
    epoch: u32,
    limit: usize,
    ring: Mutex<Ring>,
    told: Event,
}

struct Ring {
    /// The number of the next one.
    next: u64,
    kept: VecDeque<Arc<Told>>,
}

impl Feed {
    pub(super) fn new(limit: usize) -> Self {
        let ring = Ring { next: 1, kept: VecDeque::new() };
        Self { epoch: fastrand::u32(..), limit, ring: Mutex::new(ring), told: Event::new() }
    }

    pub(super) fn push(&self, update: Update) {
        let mut ring = self.ring.lock();
        let id = UpdateId { epoch: self.epoch, seq: ring.next };
        ring.next += 1;
        let gone = if ring.kept.len() >= self.limit { ring.kept.pop_front() } else { None };
        ring.kept.push_back(Arc::new(Told {
            id,
            update,
            #[cfg(feature = "http")]
            text: std::sync::OnceLock::new(),
        }));
        drop(ring);
        drop(gone);
        wake_all(&self.told);
    }
}

/// Follows what a [`Monitor`](super::Monitor) is told, from some moment on. It holds nothing back: a
/// reader that is slower than the ring is long is [told so](Heard::Missed).
#[derive(Clone)]
pub struct Updates {
    feed: Arc<Feed>,
    next: u64,
    /// Followed another monitor before.
    stranger: bool,
}

impl Updates {
    pub(super) fn new(feed: Arc<Feed>, after: Option<UpdateId>) -> Self {
        let newest = feed.ring.lock().next;
        let own = after.filter(|id| id.epoch == feed.epoch && id.seq < newest);
        let stranger = after.is_some() && own.is_none();
        Self { feed, next: own.map_or(newest, |id| id.seq + 1), stranger }
    }

    /// The place of the last one that was heard, or that came before the first.
    #[must_use]
    pub fn position(&self) -> UpdateId {
        UpdateId { epoch: self.feed.epoch, seq: self.next.saturating_sub(1) }
    }

    /// What is to be heard by now, if anything is.
    pub fn try_next(&mut self) -> Option<Heard> {
        if std::mem::take(&mut self.stranger) {
            return Some(Heard::Missed { count: None });
        }
        let ring = self.feed.ring.lock();
        if self.next == ring.next {
            return None;
        }
        let first = ring.next - ring.kept.len() as u64;
        // It fits: no ring is longer than memory.
        let told = self.next.checked_sub(first).and_then(|at| ring.kept.get(at as usize));
        match told {
            Some(told) => {
                self.next += 1;
                Some(Heard::Update(Arc::clone(told)))
            }
            None => {
                let count = Some(ring.next - self.next);
                self.next = ring.next;
                Some(Heard::Missed { count })
            }
        }
    }

    /// What is to be heard next.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    pub async fn next(&mut self) -> Heard {
        loop {
            let told = self.feed.told.listen();
            match self.try_next() {
                Some(heard) => return heard,
                None => told.await,
            }
        }
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("position", &self.position()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(number: u64) -> Update {
        let peer = PeerId::new("peer").unwrap();
        let (at, what) = (SystemTime::UNIX_EPOCH, Happening::Opened);
        Update::Connection { number, peer, group: None, at, what }
    }

    fn number(heard: Option<Heard>) -> Option<u64> {
        match heard {
            Some(Heard::Update(told)) => match told.update {
                Update::Connection { number, .. } => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    #[test]
    fn a_reader_hears_what_is_told_after_it_came_and_can_come_back() {
        let feed = Arc::new(Feed::new(4));
        feed.push(update(1));
        let mut updates = Updates::new(Arc::clone(&feed), None);
        assert!(updates.try_next().is_none(), "expected nothing of what was told before");
        feed.push(update(2));
        feed.push(update(3));
        assert_eq!(number(updates.try_next()), Some(2));
        let text = updates.position().to_string();
        let mut back = Updates::new(feed, Some(text.parse().unwrap()));
        assert_eq!(number(back.try_next()), Some(3));
        assert!(back.try_next().is_none());
    }

    #[test]
    fn what_left_the_ring_is_counted_and_skipped() {
        let feed = Arc::new(Feed::new(4));
        let mut updates = Updates::new(Arc::clone(&feed), None);
        (0..10).for_each(|number| feed.push(update(number)));
        let missed = updates.try_next();
        assert!(matches!(missed, Some(Heard::Missed { count: Some(10) })), "{missed:?}");
        feed.push(update(10));
        assert_eq!(number(updates.try_next()), Some(10));
    }

    #[test]
    fn an_id_of_another_monitor_or_of_the_future_is_a_gap_of_unknown_length() {
        let feed = Arc::new(Feed::new(4));
        for seq in [0, 7] {
            let epoch = feed.epoch.wrapping_add(u32::from(seq == 0));
            let mut updates = Updates::new(Arc::clone(&feed), Some(UpdateId { epoch, seq }));
            let missed = updates.try_next();
            assert!(matches!(missed, Some(Heard::Missed { count: None })), "{missed:?}");
            assert!(updates.try_next().is_none());
        }
    }

    #[test]
    fn a_text_that_is_no_id_is_refused() {
        for text in ["", "-", "0-1", "00000000-", "00000000-+1", "+0000000-1", "0000000é-1"] {
            assert_eq!(text.parse::<UpdateId>(), Err(UpdateIdError), "{text:?}");
        }
    }
}
