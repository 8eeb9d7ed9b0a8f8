//! Writes metric families.

use std::borrow::Borrow;
use std::fmt::Error;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::monitor::Distribution;

/// Writes one family after the other. The name of a counter is given without `_total`, and the name
/// of a metric with a unit without the unit.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    pub(super) fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], u64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(labels, value)| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            labelled(&mut family, keys, labels, |metric| metric.encode_gauge(&value))
        })
    }

    pub(super) fn counters<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], u64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        values.into_iter().try_for_each(|(labels, value)| {
            labelled(&mut family, keys, labels, |metric| {
                metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
            })
        })
    }

    pub(super) fn histograms<D: Borrow<Distribution>, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        keys: [&str; N],
        values: impl IntoIterator<Item = ([&'static str; N], D)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        values.into_iter().try_for_each(|(labels, values)| {
            let values = values.borrow();
            // The library encodes the greatest finite number as the last bound, `+Inf`.
            let buckets: Vec<_> =
                values.buckets.iter().map(|(bound, count)| (bound.min(f64::MAX), *count)).collect();
            labelled(&mut family, keys, labels, |metric| {
                metric.encode_histogram::<NoLabelSet>(values.sum, values.count, &buckets, None)
            })
        })
    }
}

/// Encodes one metric with its labels.
fn labelled<const N: usize>(
    family: &mut MetricEncoder<'_>,
    keys: [&str; N],
    values: [&str; N],
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if N == 0 {
        return encode(family);
    }
    let labels: Vec<(&str, &str)> = keys.into_iter().zip(values).collect();
    encode(&mut family.encode_family(&labels)?)
}
