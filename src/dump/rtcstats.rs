//! Converts connections to an `RTCStatsDump`.

use std::collections::BTreeMap;

use super::candidate::{configuration, ice_candidate};
use super::log::{What, events, opened_ms};
use super::number::{USER_AGENT, numbered};
use super::stats::{Stats, stats};
use crate::candidate::Side;
use crate::monitor::{ConnectionInfo, TrackInfo};
use crate::stats::MediaKind;
use crate::wire::rtcstats::{Client, Delta, Header, Line, MAGIC, ParseCandidateError};
use crate::wire::w3c::{Description, Scalar, json};

pub(super) fn dump(connections: &[ConnectionInfo]) -> String {
    let start_time = connections.iter().map(opened_ms).min();
    let header = Header {
        file_format: 3,
        url: "anypeer:",
        origin: "anypeer:",
        user_agent: USER_AGENT,
        start_time: start_time.unwrap_or(0),
    };
    let mut text = format!("{MAGIC}\n{}\n", json(&header));
    let mut lines = Vec::new();
    if let Some(start) = start_time {
        lines.push((start, None, Line::new("create", &Client { user_agent: USER_AGENT })));
    }
    let connections = numbered(connections);
    let ids: Vec<String> =
        connections.iter().map(|(number, info)| format!("{number}-{}", info.id)).collect();
    for (id, info) in ids.iter().zip(connections.values()) {
        lines.extend(connection(info).into_iter().map(|(at, line)| (at, Some(id.as_str()), line)));
    }
    // The sort is stable, so `create` stays before other lines of the same time.
    lines.sort_by_key(|(at, ..)| *at);
    let mut before = 0;
    for (at, connection, line) in lines {
        text.push_str(&line.text(connection, at - before));
        text.push('\n');
        before = at;
    }
    text
}

fn connection(info: &ConnectionInfo) -> Vec<(u64, Line)> {
    let mut lines = vec![(opened_ms(info), Line::new("create", &configuration(info)))];
    lines.extend(events(info).iter().map(|(at, what)| (*at, line(what))));
    lines.extend(reports(&stats(info)));
    lines
}

/// The line of an event.
fn line(what: &What<'_>) -> Line {
    match what {
        What::State { event, state } => Line::new(event, state),
        What::NegotiationNeeded => Line::new("onnegotiationneeded", &()),
        What::Described { side, kind, sdp } => {
            let method = match side {
                Side::Local => "setLocalDescription",
                Side::Remote => "setRemoteDescription",
            };
            Line::new(method, &Description { kind, sdp })
        }
        What::Candidate { side, candidate } => {
            let method = match side {
                Side::Local => "onicecandidate",
                Side::Remote => "addIceCandidate",
            };
            Line::new(method, &ice_candidate(candidate))
        }
        What::CandidateFailed { url, code, message } => {
            let error = ParseCandidateError {
                address: None,
                port: None,
                host_candidate: "",
                url,
                error_code: *code,
                error_text: message,
            };
            Line::new("onicecandidateerror", &error)
        }
        What::ChannelAdded { side: Some(Side::Local), label } => {
            Line::new("createDataChannel", &[label])
        }
        // The first value is the SCTP stream, which is not known.
        What::ChannelAdded { label, .. } => Line::new("ondatachannel", &(None::<u16>, label)),
        What::TrackAdded(track) => {
            let method = match track.side {
                Side::Local => "addTrack",
                Side::Remote => "ontrack",
            };
            let TrackInfo { kind, id, .. } = track;
            Line::new(method, &(kind.map(MediaKind::as_str), &**id))
        }
        What::TrackRemoved(TrackInfo { side: Side::Local, id, .. }) => {
            Line::new("removeTrack", &**id)
        }
        What::TrackRemoved(track) => Line::new("MediaStreamTrack.onended", &*track.id),
        What::Closed(reason) => Line::new("close", reason),
        What::Other(text) => Line::new("anypeer", text),
    }
}

/// The objects of a report, by id.
type Report<'a> = BTreeMap<&'a str, BTreeMap<&'static str, Scalar>>;

/// The lines of the reports, each with the values that have changed.
fn reports(stats: &Stats) -> Vec<(u64, Line)> {
    let mut lines = Vec::new();
    let mut known = Report::new();
    for (index, time) in stats.times.iter().enumerate() {
        let report = report(stats, index, *time);
        // A reader keeps the old value of a field that a line does not have, or whose new value is
        // falsy. An object with such a field is therefore removed first, and then written as a new
        // one.
        let out: Delta<'_> = known
            .iter()
            .filter(|(id, object)| report.get(*id).is_some_and(|it| !can_follow(object, it)))
            .map(|(id, _)| (*id, None))
            .collect();
        if !out.is_empty() {
            known.retain(|id, _| !out.contains_key(id));
            lines.push((*time, Line::new("getStats", &out)));
        }
        lines.push((*time, Line::new("getStats", &delta(&known, &report))));
        known = report;
    }
    lines
}

/// The objects at a time.
fn report(stats: &Stats, index: usize, time: u64) -> Report<'_> {
    let objects = stats.objects.iter().filter_map(|object| {
        let mut fields = object.at(index);
        if fields.is_empty() {
            return None;
        }
        fields.insert("type", Scalar::text(object.kind));
        fields.insert("timestamp", time.into());
        Some((object.id.as_str(), fields))
    });
    objects.collect()
}

/// Whether a reader gets the right values if `now` is written as a change of `before`.
fn can_follow(
    before: &BTreeMap<&'static str, Scalar>,
    now: &BTreeMap<&'static str, Scalar>,
) -> bool {
    before.iter().all(|(name, old)| now.get(name).is_some_and(|new| new == old || !new.is_falsy()))
}

/// The changes between two reports.
fn delta<'a>(known: &Report<'a>, report: &Report<'a>) -> Delta<'a> {
    let gone = known.keys().filter(|id| !report.contains_key(*id)).map(|id| (*id, None));
    let changed = report.iter().filter_map(|(id, object)| {
        let before = known.get(id);
        let is_new = |name, value| before.and_then(|it| it.get(name)) != Some(value);
        let fields: BTreeMap<_, _> = object
            .iter()
            .filter(|(name, value)| is_new(*name, *value))
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        (!fields.is_empty()).then_some((*id, Some(fields)))
    });
    gone.chain(changed).collect()
}
