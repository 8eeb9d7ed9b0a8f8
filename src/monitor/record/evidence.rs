//! Derives the evidence for a diagnosis from the record of a connection.

use std::time::{Duration, Instant};

use super::state::State;
use crate::monitor::diagnosis::{Diagnosis, Evidence, diagnose};
use crate::peer::CloseReason;
use crate::state::DataChannelState;
use crate::stats::StatsReport;

impl State {
    /// The diagnosis at the connection's end, or the current one if it has not ended.
    pub(crate) fn diagnosis(&self, now: Instant) -> Option<Diagnosis> {
        match &self.end {
            Some(end) => end.diagnosis.as_deref().cloned(),
            None => diagnose(&self.evidence(now, None)),
        }
    }

    /// The evidence at `now`; `close` is the reason if the connection has ended.
    pub(crate) fn evidence(&self, now: Instant, close: Option<CloseReason>) -> Evidence<'_> {
        let session = self.session.as_deref();
        let last = session.and_then(|session| session.last.as_deref());
        let since = |earlier: Option<Instant>| {
            earlier.map_or(Duration::ZERO, |it| now.saturating_duration_since(it))
        };
        let media = last
            .map_or(0, |last| last.inbound_rtp.iter().map(|stream| stream.packets_received).sum());
        Evidence {
            tells_state: self.tells_state(),
            age: since(self.opened),
            since_ice: since(self.setup.ice),
            state: self.connection,
            ice: self.ice,
            gathering: self.gathering,
            signaling: self.signaling,
            dtls: last.and_then(|last| last.transport.as_ref()).map(|it| it.dtls_state),
            was_connected: self.setup.connected.is_some(),
            ice_was_connected: self.setup.ice.is_some(),
            described: self.setup.described.map(|it| it.is_some()),
            restarting: session.is_some_and(|session| session.restarting),
            candidates: [0, 1]
                .map(|side| session.map_or(&[][..], |session| &session.candidates[side].known)),
            candidate_errors: session.map_or(&[], |session| session.candidate_errors.as_slice()),
            servers: session.map_or(0, |session| session.servers.len()),
            relay_only: session.is_some_and(|session| session.relay_only),
            checks: last.and_then(StatsReport::selected_pair).and_then(|pair| pair.checks),
            transport_packets: last
                .and_then(|last| last.transport.as_ref())
                .map(|it| (it.packets_sent, it.packets_received)),
            alerts: session.map_or([None; 2], |session| session.alerts),
            data_negotiated: session.is_some_and(|session| session.data_negotiated),
            data_open: session.is_some_and(|session| {
                session.channels.iter().any(|channel| {
                    channel.state == Some(DataChannelState::Open) || channel.messages_received > 0
                })
            }),
            media_expected: session.is_some_and(|session| session.media_expected),
            media_packets: media,
            sampled_for: last
                .zip(self.setup.connected_last)
                .map_or(Duration::ZERO, |(last, at)| last.at.saturating_duration_since(at)),
            not_closed: self.not_closed,
            close,
        }
    }
}
