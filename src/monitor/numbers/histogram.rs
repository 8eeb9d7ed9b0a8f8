//! Histograms with fixed buckets.

use std::time::Duration;

use crate::sync::atomic::{AtomicU64, Ordering};

/// The inclusive upper bounds of buckets, in millionths of the unit of the values. There are at
/// most 19, and one more bucket for all greater values.
pub(crate) type Bounds = &'static [u64];

/// The maximum number of buckets.
const MOST: usize = 20;

/// Durations, from 0.1 ms to 1 min.
pub(crate) const TIMES: Bounds = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];
/// Durations, from 1 s to 1 day.
pub(crate) const LIFETIMES: Bounds = &[
    1_000_000,
    5_000_000,
    15_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    1_800_000_000,
    3_600_000_000,
    7_200_000_000,
    14_400_000_000,
    86_400_000_000,
];
/// Mean opinion scores.
pub(crate) const SCORES: Bounds = &[
    1_000_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000, 4_250_000,
    4_500_000,
];

/// A value that a histogram can observe.
pub(crate) trait Observed {
    /// The value in millionths of its unit.
    fn millionths(self) -> u64;
}

impl Observed for Duration {
    #[inline]
    fn millionths(self) -> u64 {
        self.as_secs().saturating_mul(1_000_000) + u64::from(self.subsec_micros())
    }
}

impl Observed for f32 {
    fn millionths(self) -> u64 {
        // The cast saturates: negative values and NaN become zero.
        (f64::from(self) * 1e6) as u64
    }
}

/// The values that a histogram has observed, in buckets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Distribution {
    /// The inclusive upper bound of each bucket, and the number of values in this bucket alone (not
    /// cumulative). The last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
    /// The number of values.
    pub count: u64,
    /// The sum of the values.
    pub sum: f64,
}

impl Distribution {
    /// Returns an estimate of the `q`-quantile, for instance the median for `q` = 0.5, or `None` if
    /// there are no values. `q` is limited to the range from 0 to 1.
    ///
    /// Values are assumed to be evenly distributed within their bucket. For a quantile in the last
    /// bucket, the greatest finite bound is returned.
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

/// A histogram that any number of threads can update.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: Bounds,
    counts: [AtomicU64; MOST],
    sum: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, counts: Default::default(), sum: AtomicU64::new(0) }
    }

    pub(crate) fn observe(&self, value: impl Observed) {
        let value = value.millionths();
        self.counts[bucket(self.bounds, value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Distribution {
        distribution(
            self.bounds,
            |i| self.counts[i].load(Ordering::Relaxed),
            self.sum.load(Ordering::Relaxed),
        )
    }
}

/// A histogram that needs exclusive access to be updated.
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
    pub(crate) fn observe(&mut self, value: impl Observed) {
        let value = value.millionths();
        self.counts[bucket(self.bounds, value)] += 1;
        self.sum = self.sum.wrapping_add(value);
    }

    pub(crate) fn read(&self) -> Distribution {
        distribution(self.bounds, |i| self.counts[i], self.sum)
    }
}

/// The index of the bucket for a value.
#[inline]
fn bucket(bounds: Bounds, value: u64) -> usize {
    bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len()).min(MOST - 1)
}

fn distribution(bounds: Bounds, count: impl Fn(usize) -> u64, sum: u64) -> Distribution {
    let unit = |millionths: u64| millionths as f64 / 1e6;
    let bounds = bounds.iter().map(|bound| unit(*bound)).chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.enumerate().map(|(i, bound)| (bound, count(i))).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    Distribution { buckets, count, sum: unit(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_observed_is_in_its_bucket_and_in_the_quantiles() {
        let histogram = Histogram::new(TIMES);
        for micros in [500, 1_000, 20_000, 20_000, 100_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let read = histogram.read();
        assert_eq!(read.count, 5);
        assert_eq!(read.buckets[2..4], [(0.0005, 1), (0.001, 1)]);
        assert_eq!(read.buckets.last(), Some(&(f64::INFINITY, 1)));
        assert!((read.sum - 100.0415).abs() < 1e-6, "{}", read.sum);
        let median = read.quantile(0.5).expect("there is something");
        assert!((0.01..=0.025).contains(&median), "{median}");
        assert_eq!(read.quantile(1.0), Some(60.0));
        assert_eq!(Histogram::new(TIMES).read().quantile(0.5), None);
    }

    #[test]
    fn no_bounds_are_more_than_there_is_room_for() {
        for bounds in [TIMES, LIFETIMES, SCORES] {
            assert!(bounds.len() < MOST && bounds.is_sorted(), "{bounds:?}");
        }
    }
}
