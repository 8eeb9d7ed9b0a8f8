//! From records to what is said of them.

use std::time::Instant;

use super::connection::Connection;
use super::core::Core;
use super::session::Session;
use super::snapshot::{
    ChannelInfo, ConnectionInfo, DescriptionInfo, EndInfo, SampleInfo, SelectedPair, TrackInfo,
};
use crate::peer::RetainedBy;

impl Connection {
    /// All that the record knows, without what it is known to do.
    pub(super) fn info(&self, core: &Core) -> ConnectionInfo {
        let now = Instant::now();
        let wall = |stamp: Instant| core.clock.wall(stamp);
        let record = self.state.lock();
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
            timeline: record.timeline.iter().map(|it| (wall(it.at), it.what.clone())).collect(),
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
                closure: it.closure.clone(),
                took: it.took,
            }),
            diagnosis: record.diagnosis(now),
            released,
            held_by: Vec::new(),
        };
        drop(record);
        // Whoever holds may be asked by any code.
        let held_by = probe.and_then(|probe| probe.retained_by()).unwrap_or_default();
        let record = self.state.lock();
        let clean = |holder| match holder {
            RetainedBy::DataChannel(label) => {
                RetainedBy::DataChannel(record.name(core, &label).into())
            }
            other => other,
        };
        info.held_by = held_by.into_iter().map(clean).collect();
        info
    }
}
