//! The samples of a connection's statistics.

use std::time::{Duration, Instant};

use super::quality;
use crate::monitor::numbers::Bounded;
use crate::monitor::options::SAMPLE_BYTES;
use crate::stats::StatsReport;

/// One sample: the totals at its time, and the values that were measured last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) packets_sent: u64,
    pub(crate) packets_received: u64,
    /// The total of received media packets that were lost.
    pub(crate) packets_lost: i64,
    /// The total of media packets that were received.
    pub(crate) media_packets: u64,
    pub(crate) round_trip_time: Option<Duration>,
    /// The greatest jitter of the received streams.
    pub(crate) jitter: Option<Duration>,
    /// The quality of received media, from 1 to 4.5.
    pub(crate) score: Option<f32>,
}

/// `Limits::memory_bound` depends on this size.
const _: () = assert!(size_of::<Sample>() <= SAMPLE_BYTES);

/// The last samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub(crate) samples: Bounded<Sample>,
}

impl Series {
    /// Adds a sample of the values in `report`, and returns it.
    pub(crate) fn add(&mut self, at: Instant, report: &StatsReport, limit: usize) -> Sample {
        let transport = report.transport.as_ref();
        let packets_lost = report.inbound_rtp.iter().map(|stream| stream.packets_lost).sum();
        let media_packets = report.inbound_rtp.iter().map(|stream| stream.packets_received).sum();
        let jitter = report.inbound_rtp.iter().filter_map(|stream| stream.jitter).max();
        let round_trip_time = report.selected_pair().and_then(|pair| pair.current_round_trip_time);
        let mut sample = Sample {
            at,
            bytes_sent: transport.map_or(0, |it| it.bytes_sent),
            bytes_received: transport.map_or(0, |it| it.bytes_received),
            packets_sent: transport.map_or(0, |it| it.packets_sent),
            packets_received: transport.map_or(0, |it| it.packets_received),
            packets_lost,
            media_packets,
            round_trip_time,
            jitter,
            score: None,
        };
        sample.score = self.samples.last().and_then(|last| {
            let loss = loss(last, &sample)?;
            quality::score(round_trip_time?, jitter?, loss)
        });
        self.samples.push(sample, limit);
        sample
    }
}

/// The share of media packets that were lost between two samples; `None` if there were no packets.
pub(crate) fn loss(earlier: &Sample, later: &Sample) -> Option<f64> {
    let received = later.media_packets.saturating_sub(earlier.media_packets) as f64;
    let lost = later.packets_lost.saturating_sub(earlier.packets_lost).max(0) as f64;
    (received + lost > 0.0).then(|| lost / (received + lost))
}
