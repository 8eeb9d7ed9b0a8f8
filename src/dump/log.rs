//! The events of a connection in the order of time, derived from everything that is known of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use super::time::epoch_ms;
use crate::candidate::{Candidate, Side};
use crate::monitor::{ConnectionInfo, DescriptionInfo, TimelineEvent, TrackInfo};

/// An event. [`What::Other`] is an event that neither format has a name for.
pub(super) enum What<'a> {
    State { event: &'static str, state: &'static str },
    NegotiationNeeded,
    Described { side: Side, kind: &'static str, sdp: &'a str },
    Candidate { side: Side, candidate: &'a Candidate },
    CandidateFailed { url: &'a str, code: u16, message: &'a str },
    ChannelAdded { side: Option<Side>, label: &'a str },
    TrackAdded(&'a TrackInfo),
    TrackRemoved(&'a TrackInfo),
    Closed(&'static str),
    Other(String),
}

/// When the connection was opened, in milliseconds since 1970. No event in a dump is earlier.
pub(super) fn opened_ms(info: &ConnectionInfo) -> u64 {
    epoch_ms(info.created_at)
}

/// Returns the events after the opening, each with its time in milliseconds since 1970.
pub(super) fn events(info: &ConnectionInfo) -> Vec<(u64, What<'_>)> {
    let mut known = Known::of(info);
    let mut events: Vec<_> = info
        .timeline
        .iter()
        .filter_map(|(at, event)| Some((*at, known.event(*at, event)?)))
        .collect();
    events.extend(known.rest());
    if let (Some(end), false) = (&info.end, known.closed) {
        events.push((end.at, What::Closed(end.reason.as_str())));
    }
    let opened = opened_ms(info);
    let mut events: Vec<_> =
        events.into_iter().map(|(at, what)| (epoch_ms(at).max(opened), what)).collect();
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Values by key; those with the same key are taken in their order.
type Queues<K, V> = BTreeMap<K, VecDeque<V>>;

/// The descriptions, tracks and data channels that entries of the timeline refer to. They may be
/// kept longer than the entries.
struct Known<'a> {
    descriptions: Queues<(SystemTime, &'static str, &'static str), &'a DescriptionInfo>,
    added: Queues<(SystemTime, &'a str), &'a TrackInfo>,
    removed: Queues<(SystemTime, &'a str), &'a TrackInfo>,
    sides: BTreeMap<u64, Option<Side>>,
    closed: bool,
}

impl<'a> Known<'a> {
    fn of(info: &'a ConnectionInfo) -> Self {
        let mut known = Self {
            descriptions: BTreeMap::new(),
            added: BTreeMap::new(),
            removed: BTreeMap::new(),
            sides: info.data_channels.iter().map(|it| (it.id, it.side)).collect(),
            closed: false,
        };
        for it in &info.descriptions {
            let key = (it.at, it.side.as_str(), it.kind.as_str());
            known.descriptions.entry(key).or_default().push_back(it);
        }
        for it in &info.tracks {
            known.added.entry((it.added_at, &it.id)).or_default().push_back(it);
            if let Some(at) = it.removed_at {
                known.removed.entry((at, &it.id)).or_default().push_back(it);
            }
        }
        known
    }

    fn event(&mut self, at: SystemTime, event: &'a TimelineEvent) -> Option<What<'a>> {
        let state = |event, state| Some(What::State { event, state });
        match event {
            // Each format has its own beginning of a connection.
            TimelineEvent::Opened => None,
            TimelineEvent::ConnectionState(it) => state("onconnectionstatechange", it.as_str()),
            TimelineEvent::IceConnectionState(it) => {
                state("oniceconnectionstatechange", it.as_str())
            }
            TimelineEvent::IceGatheringState(it) => state("onicegatheringstatechange", it.as_str()),
            TimelineEvent::SignalingState(it) => state("onsignalingstatechange", it.as_str()),
            TimelineEvent::NegotiationNeeded => Some(What::NegotiationNeeded),
            TimelineEvent::Described { side, kind, .. } => {
                let (side, kind) = (*side, kind.as_str());
                let found = take(&mut self.descriptions, &(at, side.as_str(), kind));
                let sdp = found.and_then(|it| it.sdp.as_deref()).unwrap_or_default();
                Some(What::Described { side, kind, sdp })
            }
            TimelineEvent::Candidate { side, candidate } => {
                Some(What::Candidate { side: *side, candidate })
            }
            TimelineEvent::CandidateFailed { code, message } => {
                let (url, message) = message
                    .split_once(": ")
                    .filter(|(url, _)| url.starts_with("stun") || url.starts_with("turn"))
                    .unwrap_or(("", message));
                Some(What::CandidateFailed { url, code: *code, message })
            }
            TimelineEvent::ChannelAdded { id, label } => {
                let side = self.sides.get(id).copied().flatten();
                Some(What::ChannelAdded { side, label })
            }
            TimelineEvent::TrackAdded { id } => Some(
                take(&mut self.added, &(at, &**id)).map_or_else(|| other(event), What::TrackAdded),
            ),
            TimelineEvent::TrackRemoved { id } => Some(
                take(&mut self.removed, &(at, &**id))
                    .map_or_else(|| other(event), What::TrackRemoved),
            ),
            TimelineEvent::Closed(reason) if !self.closed => {
                self.closed = true;
                Some(What::Closed(reason.as_str()))
            }
            _ => Some(other(event)),
        }
    }

    /// The events of descriptions and tracks whose entries are no longer in the timeline.
    fn rest(&mut self) -> impl Iterator<Item = (SystemTime, What<'a>)> {
        let described = std::mem::take(&mut self.descriptions).into_values().flatten().map(|it| {
            let sdp = it.sdp.as_deref().unwrap_or_default();
            (it.at, What::Described { side: it.side, kind: it.kind.as_str(), sdp })
        });
        let added = std::mem::take(&mut self.added).into_values().flatten();
        let added = added.map(|it| (it.added_at, What::TrackAdded(it)));
        let removed =
            std::mem::take(&mut self.removed).into_iter().flat_map(|((at, _), tracks)| {
                tracks.into_iter().map(move |it| (at, What::TrackRemoved(it)))
            });
        described.chain(added).chain(removed)
    }
}

fn take<K: Ord, V>(queues: &mut Queues<K, V>, key: &K) -> Option<V> {
    queues.get_mut(key)?.pop_front()
}

fn other<'a>(event: &TimelineEvent) -> What<'a> {
    What::Other(event.to_string())
}
