//! Distributions in fixed buckets.

use crate::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of buckets, in the unit of what is observed. There are at most 15, and one more
/// bucket for everything beyond.
pub(crate) type Bounds = &'static [f64];

const MOST: usize = 16;

/// Seconds, from a millisecond to a minute.
pub(crate) const SECONDS: Bounds =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Seconds, from a second to a day.
pub(crate) const LIFETIMES: Bounds =
    &[1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 86_400.0];
/// Mean opinion scores.
pub(crate) const SCORES: Bounds = &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.25, 4.5];

/// How what was observed is distributed, at some moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Distribution {
    /// The upper bound of each bucket, and how many were in it and in no lower one. The last bound
    /// is infinite.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Distribution {
    /// The value below which the share `q` of all lies, in so far as the buckets tell: linear
    /// within its bucket, and the last finite bound beyond that. `None` if there was nothing.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = q.clamp(0.0, 1.0) * self.count as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        for &(bound, count) in self.buckets.iter().filter(|(_, count)| *count > 0) {
            let count = count as f64;
            let lowest = self.buckets.iter().take_while(|(b, _)| *b < bound).last();
            lower = lowest.map_or(lower, |(b, _)| *b);
            if below + count >= rank {
                return Some(if bound.is_finite() {
                    lower + (bound - lower) * ((rank - below) / count).clamp(0.0, 1.0)
                } else {
                    lower
                });
            }
            below += count;
        }
        (self.count > 0).then_some(lower)
    }
}

/// Observed by any number of threads.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: Bounds,
    counts: [AtomicU64; MOST],
    /// In millionths: exact to a microsecond, and an integer is added at once.
    sum: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, counts: Default::default(), sum: AtomicU64::new(0) }
    }

    pub(crate) fn observe(&self, value: f64) {
        self.counts[bucket(self.bounds, value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(millionths(value), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Distribution {
        distribution(
            self.bounds,
            |i| self.counts[i].load(Ordering::Relaxed),
            self.sum.load(Ordering::Relaxed),
        )
    }
}

/// Observed by whoever has it.
#[derive(Clone, Debug)]
pub(crate) struct LocalHistogram {
    bounds: Bounds,
    counts: [u64; MOST],
    sum: u64,
}

impl LocalHistogram {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, counts: [0; MOST], sum: 0 }
    }

    #[inline]
    pub(crate) fn observe(&mut self, value: f64) {
        self.counts[bucket(self.bounds, value)] += 1;
        self.sum += millionths(value);
    }

    pub(crate) fn read(&self) -> Distribution {
        distribution(self.bounds, |i| self.counts[i], self.sum)
    }
}

#[inline]
fn bucket(bounds: Bounds, value: f64) -> usize {
    bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len()).min(MOST - 1)
}

#[inline]
fn millionths(value: f64) -> u64 {
    // Negative and not a number are zero: the cast saturates.
    (value * 1e6) as u64
}

fn distribution(bounds: Bounds, count: impl Fn(usize) -> u64, sum: u64) -> Distribution {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.enumerate().map(|(i, bound)| (bound, count(i))).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    Distribution { buckets, count, sum: sum as f64 / 1e6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_observed_is_in_its_bucket_and_in_the_quantiles() {
        let histogram = Histogram::new(SECONDS);
        for value in [0.0005, 0.001, 0.02, 0.02, 100.0] {
            histogram.observe(value);
        }
        let read = histogram.read();
        assert_eq!(read.count, 5);
        assert_eq!(read.buckets[0], (0.001, 2));
        assert_eq!(read.buckets.last(), Some(&(f64::INFINITY, 1)));
        assert!((read.sum - 100.0415).abs() < 1e-6, "{}", read.sum);
        let median = read.quantile(0.5).expect("there is something");
        assert!((0.01..=0.025).contains(&median), "{median}");
        assert_eq!(read.quantile(1.0), Some(60.0));
        assert_eq!(Histogram::new(SECONDS).read().quantile(0.5), None);
    }

    #[test]
    fn no_bounds_are_more_than_there_is_room_for() {
        for bounds in [SECONDS, LIFETIMES, SCORES] {
            assert!(bounds.len() < MOST && bounds.is_sorted(), "{bounds:?}");
        }
    }
}
