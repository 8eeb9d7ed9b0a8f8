//! Converts records to the reports that the monitor returns.

use std::time::Instant;

use super::connection::Connection;
use super::series::{Sample, loss};
use super::session::Session;
use crate::monitor::context::Context;
use crate::monitor::report::{
    ChannelInfo, ConnectionInfo, ConnectionRow, DescriptionInfo, EndInfo, SampleInfo, SelectedPair,
    TrackInfo,
};
use crate::peer::RetainedBy;
use crate::state::DataChannelState;

impl Connection {
    /// Everything in the record. The caller adds the operations in flight and the pending tasks.
    pub(crate) fn info(&self, context: &Context) -> ConnectionInfo {
        let wall = |stamp: Instant| context.clock.wall(stamp);
        let record = self.state.lock();
        let now = record.now();
        let empty = Session::default();
        let session = record.session.as_deref().unwrap_or(&empty);
        let opened = record.opened.unwrap_or(record.updated);
        let until = record.end.as_ref().map_or(now, |end| end.at);
        let [local, remote] = &session.candidates;
        let released = record.end.as_ref().and_then(|_| match record.released {
            Some(_) => Some(true),
            None => record.tells_release().then_some(false),
        });
        let probe = record.probe.clone().filter(|_| record.end.is_some());
        let mut info = ConnectionInfo {
            number: self.number,
            id: self.id.clone(),
            group: self.group.clone(),
            created_at: wall(opened),
            updated_at: wall(record.updated),
            age: until.saturating_duration_since(opened),
            idle: until.saturating_duration_since(record.active),
            state: record.connection,
            ice_state: record.ice,
            gathering_state: record.gathering,
            signaling_state: record.signaling,
            connected_at: record.setup.connected.map(wall),
            timeline: record.timeline.iter().map(|it| (wall(it.at), it.event.clone())).collect(),
            timeline_dropped: record.timeline.dropped(),
            descriptions: session
                .descriptions
                .iter()
                .map(|it| DescriptionInfo {
                    at: wall(it.at),
                    side: it.side,
                    kind: it.kind,
                    ice_restart: it.ice_restart,
                    sdp: it.sdp.clone(),
                    bytes: it.bytes,
                })
                .collect(),
            local_candidates: local.known.clone(),
            remote_candidates: remote.known.clone(),
            candidates_dropped: local.more + remote.more,
            selected_pair: session.selected.as_ref().map(|it| SelectedPair {
                since: wall(it.since),
                local: it.local.clone(),
                remote: it.remote.clone(),
                changes: it.changes,
            }),
            ice_servers: session.servers.clone(),
            relay_only: session.relay_only,
            tracks: session
                .tracks
                .iter()
                .map(|it| TrackInfo {
                    id: it.id.clone(),
                    kind: it.kind,
                    side: it.side,
                    added_at: wall(it.added),
                    removed_at: it.removed.map(wall),
                })
                .collect(),
            data_channels: session
                .channels
                .iter()
                .map(|it| ChannelInfo {
                    id: it.id,
                    label: it.label.clone(),
                    side: it.side,
                    state: it.state,
                    messages_sent: it.messages_sent,
                    messages_received: it.messages_received,
                    bytes_sent: it.bytes_sent,
                    bytes_received: it.bytes_received,
                })
                .collect(),
            errors: record.errors.iter().map(|(at, text)| (wall(*at), text.clone())).collect(),
            operations: record.operations,
            active_operations: Vec::new(),
            tasks: record.tasks,
            pending_tasks: Vec::new(),
            stats: session.last.as_deref().cloned(),
            samples: session
                .series
                .samples
                .iter()
                .map(|it| SampleInfo {
                    at: wall(it.at),
                    bytes_sent: it.bytes_sent,
                    bytes_received: it.bytes_received,
                    packets_sent: it.packets_sent,
                    packets_received: it.packets_received,
                    packets_lost: it.packets_lost,
                    round_trip_time: it.round_trip_time,
                    jitter: it.jitter,
                    quality: it.score,
                })
                .collect(),
            quality: session.series.samples.last().and_then(|it| it.score),
            failed_closes: record.not_closed,
            end: record.end.as_ref().map(|it| EndInfo {
                at: wall(it.at),
                reason: it.reason,
                mode: it.mode.clone(),
                took: it.took,
            }),
            diagnosis: record.diagnosis(now),
            released,
            retained_by: Vec::new(),
        };
        drop(record);
        // `retained_by` may call foreign code, so the record is not locked during the call.
        let retained_by = probe.and_then(|probe| probe.retained_by()).unwrap_or_default();
        let record = self.state.lock();
        let clean = |holder| match holder {
            RetainedBy::DataChannel(label) => {
                RetainedBy::DataChannel(record.name(context, &label).into())
            }
            other => other,
        };
        info.retained_by = retained_by.into_iter().map(clean).collect();
        info
    }

    /// A summary of the record.
    pub(crate) fn row(&self, context: &Context) -> ConnectionRow {
        let wall = |at: Instant| context.clock.wall(at);
        let record = self.state.lock();
        let now = record.now();
        let session = record.session.as_deref();
        let mut last =
            session.map(|it| it.series.samples.iter().rev().take(2)).into_iter().flatten();
        let (newest, before) = (last.next(), last.next());
        let rate = |bytes: fn(&Sample) -> u64| {
            let (newest, before) = (newest?, before?);
            let time = newest.at.saturating_duration_since(before.at).as_secs_f64();
            let bytes = bytes(newest).saturating_sub(bytes(before));
            (time > 0.0).then(|| bytes as f64 * 8.0 / time)
        };
        let opened = record.opened.unwrap_or(record.updated);
        let end = record.end.as_ref();
        ConnectionRow {
            number: self.number,
            id: self.id.clone(),
            group: self.group.clone(),
            created_at: wall(opened),
            connected_at: record.setup.connected.map(wall),
            ended_at: end.map(|end| wall(end.at)),
            age: end.map_or(now, |end| end.at).saturating_duration_since(opened),
            state: record.connection,
            ice_state: record.ice,
            round_trip_time: newest.and_then(|it| it.round_trip_time),
            bitrate_in: rate(|sample| sample.bytes_received),
            bitrate_out: rate(|sample| sample.bytes_sent),
            loss: newest.zip(before).and_then(|(newest, before)| loss(before, newest)),
            quality: newest.and_then(|it| it.score),
            tracks: session
                .map_or(0, |it| it.tracks.iter().filter(|it| it.removed.is_none()).count()),
            data_channels: session.map_or(0, |it| {
                it.channels.iter().filter(|it| it.state != Some(DataChannelState::Closed)).count()
            }),
            tasks: record.tasks.pending(),
            errors: record.errors.iter().len(),
            close_reason: end.map(|end| end.reason),
            cause: record.diagnosis(now).map(|it| it.cause),
            held: end.and_then(|_| record.tells_release().then_some(record.released.is_none())),
        }
    }
}
