//! Converts connections to the format of `chrome://webrtc-internals`.

use std::collections::BTreeMap;

use super::candidate::{configuration, ice_candidate};
use super::log::{What, events};
use super::number::{USER_AGENT, numbered};
use super::stats::{Object, Stats, stats};
use super::time::iso;
use crate::candidate::Side;
use crate::monitor::{ConnectionInfo, TrackInfo};
use crate::stats::MediaKind;
use crate::wire::internals::{
    Brand, Channel, Dump, End, ParseCandidateError, PeerConnection, Series, Transceiver, Update,
};
use crate::wire::w3c::{Description, Scalar, json};

pub(super) fn dump(connections: &[ConnectionInfo]) -> String {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let process = std::process::id();
    let brand = |brand, version| Brand { brand, version };
    json(&Dump {
        get_user_media: [],
        peer_connections: numbered(connections)
            .into_iter()
            .map(|(number, info)| (format!("{process}-{number}"), connection(process, info)))
            .collect(),
        user_agent: USER_AGENT,
        user_agent_data: [
            brand("WebRTC server", VERSION),
            brand("Rust", env!("CARGO_PKG_RUST_VERSION")),
            brand("anypeer", VERSION),
        ],
    })
}

fn connection(pid: u32, info: &ConnectionInfo) -> PeerConnection {
    PeerConnection {
        pid,
        constraints: "",
        rtc_configuration: configuration(info),
        stats: series(&stats(info)),
        update_log: events(info).iter().map(|(at, what)| update(*at, what)).collect(),
        url: format!("anypeer:{}", info.id),
    }
}

/// The statistics over time. In the keys, readers expect the id, a `-`, and the field, which has no
/// `-`.
fn series(stats: &Stats) -> BTreeMap<String, Series> {
    let mut all = BTreeMap::new();
    for Object { id, kind, from, fields } in &stats.objects {
        let times = stats.times.get(*from..).unwrap_or_default();
        let (Some(first), Some(last)) = (times.first(), times.last()) else { continue };
        let mut add = |field: &str, values: &[Scalar]| {
            let series = Series::new((iso(*first), iso(*last)), kind, values);
            all.insert(format!("{id}-{field}"), series);
        };
        let timestamps: Vec<Scalar> = times.iter().map(|time| Scalar::from(*time)).collect();
        add("timestamp", &timestamps);
        for (field, values) in fields {
            add(field, values);
        }
    }
    all
}

/// An entry of the log.
fn update(at: u64, what: &What<'_>) -> Update {
    match what {
        What::State { event, state } => Update::new(event, state, at),
        What::NegotiationNeeded => Update::bare("onnegotiationneeded", at),
        What::Described { side, kind, sdp } => {
            let event = match side {
                Side::Local => "setLocalDescription",
                Side::Remote => "setRemoteDescription",
            };
            Update::new(event, &Description { kind, sdp }, at)
        }
        What::Candidate { side, candidate } => {
            let event = match side {
                Side::Local => "onicecandidate",
                Side::Remote => "addIceCandidate",
            };
            Update::new(event, &ice_candidate(candidate), at)
        }
        What::CandidateFailed { url, code, message } => {
            let error = ParseCandidateError {
                url,
                address: None,
                port: None,
                host_candidate: "",
                error_text: message,
                error_code: *code,
            };
            Update::new("onicecandidateerror", &error, at)
        }
        What::ChannelAdded { side, label } => {
            let event = match side {
                Some(Side::Local) => "createDataChannel",
                Some(Side::Remote) | None => "ondatachannel",
            };
            Update::new(event, &Channel { label }, at)
        }
        What::TrackAdded(track) => {
            let reason = match track.side {
                Side::Local => "addTrack",
                Side::Remote => "setRemoteDescription",
            };
            Update::new("transceiverAdded", &transceiver(reason, track, None), at)
        }
        What::TrackRemoved(track) => {
            let reason = match track.side {
                Side::Local => "removeTrack",
                Side::Remote => "setRemoteDescription",
            };
            let transceiver = transceiver(reason, track, Some("inactive"));
            Update::new("transceiverModified", &transceiver, at)
        }
        What::Closed(reason) => Update::new("close", reason, at),
        What::Other(text) => Update::new("anypeer", text, at),
    }
}

fn transceiver<'a>(
    reason: &'static str,
    track: &'a TrackInfo,
    current_direction: Option<&'static str>,
) -> Transceiver<'a> {
    let end = |side| End { track: (track.side == side).then_some(&track.id), streams: [] };
    Transceiver {
        reason,
        kind: track.kind.map(MediaKind::as_str),
        sender: end(Side::Local),
        receiver: end(Side::Remote),
        current_direction,
    }
}
