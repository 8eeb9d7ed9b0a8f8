//! `Bounded`: a list with a limited number of items.

use std::collections::VecDeque;

/// A list with a limited number of items, and the number of items that were dropped.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<T> {
    kept: VecDeque<T>,
    dropped: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Bounded<T> {
    pub(crate) const fn new() -> Self {
        Self { kept: VecDeque::new(), dropped: 0 }
    }

    /// Adds an item. If there are `limit` items already, the oldest is dropped and returned.
    #[inline]
    pub(crate) fn push(&mut self, one: T, limit: usize) -> Option<T> {
        if limit == 0 {
            self.dropped += 1;
            return Some(one);
        }
        let gone = if self.kept.len() >= limit { self.kept.pop_front() } else { None };
        self.dropped += u64::from(gone.is_some());
        self.kept.push_back(one);
        gone
    }

    /// Adds an item if there are fewer than `limit`, and otherwise drops it.
    pub(crate) fn push_if_room(&mut self, one: T, limit: usize) {
        if self.kept.len() < limit {
            self.kept.push_back(one);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds an item if there are fewer than `limit`, or in place of the first item for which
    /// `may_go` is true. Returns whether it was added.
    pub(crate) fn push_instead(
        &mut self,
        one: T,
        limit: usize,
        may_go: impl Fn(&T) -> bool,
    ) -> bool {
        if self.kept.len() >= limit {
            let Some(place) = self.kept.iter().position(may_go) else {
                return false;
            };
            self.kept.remove(place);
            self.dropped += 1;
        }
        self.kept.push_back(one);
        true
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.kept.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.kept.iter_mut()
    }

    pub(crate) fn last(&self) -> Option<&T> {
        self.kept.back()
    }

    /// The number of items that were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}
