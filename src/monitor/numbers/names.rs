//! `Names`: a map whose keys become metrics labels, with a limited number of keys.

use std::collections::HashMap;

/// The name that stands for every name beyond the limit.
pub(crate) const OTHER: &str = "other";

/// The number of names that are compared by address before one is looked up in the map.
const FIRST: usize = 16;

/// A value for each of the first `limit` names, and one value for all others.
#[derive(Debug)]
pub(crate) struct Names<T> {
    limit: usize,
    places: HashMap<&'static str, usize>,
    all: Vec<(&'static str, T)>,
}

impl<T: Default> Names<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, places: HashMap::new(), all: Vec::new() }
    }

    /// The index of a name, which is added if it is new.
    #[inline]
    pub(crate) fn place(&mut self, name: &'static str) -> usize {
        // The same name usually has the same address, which is faster to compare.
        let same = |(known, _): &(&str, T)| std::ptr::eq(*known, name);
        if let Some(place) = self.all.iter().take(FIRST).position(same) {
            return place;
        }
        match self.places.get(name) {
            Some(place) => *place,
            None => self.add(name),
        }
    }

    #[cold]
    fn add(&mut self, name: &'static str) -> usize {
        if self.places.len() < self.limit {
            self.all.push((name, T::default()));
            self.places.insert(name, self.all.len() - 1);
            return self.all.len() - 1;
        }
        let other = self.all.iter().position(|(known, _)| *known == OTHER);
        other.unwrap_or_else(|| {
            self.all.push((OTHER, T::default()));
            self.all.len() - 1
        })
    }

    #[inline]
    pub(crate) fn at(&mut self, place: usize) -> Option<&mut T> {
        self.all.get_mut(place).map(|(_, it)| it)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.iter_mut().map(|(_, it)| it)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        self.all.iter().map(|(name, it)| (*name, it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_are_one() {
        let mut names = Names::<u32>::new(2);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| names.place(name));
        assert_ne!(a, b);
        assert_eq!(c, d, "expected them to be told apart no more");
        assert_eq!(names.place("a"), a);
        let all: Vec<_> = names.iter().map(|(name, _)| name).collect();
        assert_eq!(all, ["a", "b", OTHER]);
    }
}
