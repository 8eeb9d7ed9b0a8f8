//! Records samples of statistics, in the record of the connection and in the counters.

use std::time::Instant;

use super::connection::Connection;
use super::session::{Selected, Session};
use super::state::State;
use crate::monitor::context::Context;
use crate::monitor::numbers::{Counters, TrafficKind};
use crate::monitor::report::TimelineEvent;
use crate::state::DataChannelState;
use crate::stats::{DataChannelStats, StatsReport};

impl Connection {
    /// Records a sample of the connection's statistics.
    pub(crate) fn sampled(&self, context: &Context, at: Instant, report: StatsReport) {
        context.counters.samples.add(1);
        self.change(context, |record| record.sampled(context, at, report));
    }
}

impl State {
    fn sampled(&mut self, context: &Context, at: Instant, mut report: StatsReport) {
        // A report that is older than the last one must not replace it.
        let late = self.session().last.as_ref().is_some_and(|last| last.at > report.at);
        if self.end.is_some() || late {
            return;
        }
        let before = self.session().last.take();
        count_traffic(&context.counters, before.as_deref(), &report);
        let sample = self.session().series.add(at, &report, context.limits.samples);
        if let Some(time) = sample.round_trip_time {
            context.counters.round_trip_times.observe(time);
        }
        if let Some(score) = sample.score {
            for kind in report.inbound_rtp.iter().map(|stream| TrafficKind::from(stream.kind)) {
                context.counters.score(kind).observe(score);
            }
        }
        self.clean(context, &mut report);
        self.select(context, at, &report);
        for stats in &report.candidates {
            self.add_candidate(context, at, stats.side, &stats.candidate, false);
        }
        for stats in &report.data_channels {
            self.sample_channel(context, at, stats);
        }
        let bytes = |it: Option<&StatsReport>| {
            it.and_then(|it| it.transport.as_ref()).map(|it| (it.bytes_sent, it.bytes_received))
        };
        if bytes(before.as_deref()) != bytes(Some(&report)) {
            self.active = at;
        }
        // Reuse the allocation of the previous report.
        let mut kept = before.unwrap_or_else(|| Box::new(StatsReport::new(at)));
        *kept = report;
        self.session().last = Some(kept);
    }

    /// Removes secrets from a report, and limits its size.
    fn clean(&self, context: &Context, report: &mut StatsReport) {
        report.keep_at_most(context.limits.candidates, context.limits.tracks_and_channels);
        if context.redactor.addresses {
            for stats in &mut report.candidates {
                stats.candidate = context.candidate(&stats.candidate);
            }
        }
        let known = self.session.as_deref();
        for stats in &mut report.data_channels {
            let known = known.and_then(|it| it.channels.iter().find(|it| it.id == stats.id));
            // The label of a channel does not change, and secrets were already removed from a known
            // label.
            stats.label = match known {
                Some(known) => known.label.to_string(),
                None => self.name(context, &stats.label).into(),
            };
            if !stats.protocol.is_empty() {
                stats.protocol = self.name(context, &stats.protocol).into();
            }
        }
    }

    /// Records the selected candidate pair of a report without secrets.
    fn select(&mut self, context: &Context, at: Instant, report: &StatsReport) {
        let Some(pair) = report.selected_pair() else { return };
        let (local, remote) = report.ends(pair);
        let known = &mut self.session().selected;
        let same = known
            .as_ref()
            .is_some_and(|known| (known.local.as_ref(), known.remote.as_ref()) == (local, remote));
        if same {
            return;
        }
        let changes = report.transport.as_ref().map_or(0, |it| it.selected_pair_changes);
        let (local, remote) = (local.cloned(), remote.cloned());
        let counted = local.as_ref().zip(remote.as_ref()).filter(|_| known.is_none());
        if let Some((local, remote)) = counted {
            context.counters.selected_pair(local.kind, remote.kind, local.protocol).add(1);
        }
        let before = known.replace(Selected { since: at, local, remote, changes });
        if before.is_some() {
            self.note(context, at, TimelineEvent::SelectedPair);
        }
    }

    /// Records the statistics of a data channel.
    fn sample_channel(&mut self, context: &Context, at: Instant, stats: &DataChannelStats) {
        let known =
            |session: &mut Session| session.channels.iter().any(|known| known.id == stats.id);
        if !known(self.session()) {
            self.add_channel(context, at, stats.id, stats.label.as_str().into(), None);
        }
        let mut channels = self.session().channels.iter_mut();
        let Some(channel) = channels.find(|known| known.id == stats.id) else { return };
        channel.messages_sent = stats.messages_sent;
        channel.messages_received = stats.messages_received;
        channel.bytes_sent = stats.bytes_sent;
        channel.bytes_received = stats.bytes_received;
        let (was, is) = (channel.state, stats.state);
        channel.state = is;
        drop(channels);
        for (state, change) in [(was, -1), (is, 1)] {
            if let Some(state) = state {
                context.counters.channel(state).add(change);
            }
        }
        if was != is && is == Some(DataChannelState::Closed) {
            self.note(context, at, TimelineEvent::ChannelRemoved { id: stats.id });
        }
    }
}

/// Adds what was sent and received between two reports of one connection to the counters.
fn count_traffic(counters: &Counters, before: Option<&StatsReport>, report: &StatsReport) {
    let more = |now: u64, earlier: Option<u64>| now.saturating_sub(earlier.unwrap_or(0));
    for stream in &report.inbound_rtp {
        let known = before.and_then(|it| it.inbound_rtp.iter().find(|it| it.ssrc == stream.ssrc));
        let kind = TrafficKind::from(stream.kind);
        let traffic = counters.traffic(kind);
        traffic.bytes_received.add(more(stream.bytes_received, known.map(|it| it.bytes_received)));
        traffic
            .packets_received
            .add(more(stream.packets_received, known.map(|it| it.packets_received)));
        let lost = |lost: i64| u64::try_from(lost).unwrap_or(0);
        traffic
            .packets_lost
            .add(more(lost(stream.packets_lost), known.map(|it| lost(it.packets_lost))));
        if let Some(jitter) = stream.jitter {
            counters.jitter(kind).observe(jitter);
        }
    }
    for stream in &report.outbound_rtp {
        let known = before.and_then(|it| it.outbound_rtp.iter().find(|it| it.ssrc == stream.ssrc));
        let traffic = counters.traffic(TrafficKind::from(stream.kind));
        traffic.bytes_sent.add(more(stream.bytes_sent, known.map(|it| it.bytes_sent)));
        traffic.packets_sent.add(more(stream.packets_sent, known.map(|it| it.packets_sent)));
    }
    let data = counters.traffic(TrafficKind::Data);
    for channel in &report.data_channels {
        let known = before.and_then(|it| it.data_channels.iter().find(|it| it.id == channel.id));
        data.bytes_sent.add(more(channel.bytes_sent, known.map(|it| it.bytes_sent)));
        data.bytes_received.add(more(channel.bytes_received, known.map(|it| it.bytes_received)));
        counters.messages_sent.add(more(channel.messages_sent, known.map(|it| it.messages_sent)));
        counters
            .messages_received
            .add(more(channel.messages_received, known.map(|it| it.messages_received)));
    }
}
