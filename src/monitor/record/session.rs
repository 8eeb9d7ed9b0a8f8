//! `Session`: the part of a record that is only needed once something was negotiated.

use std::time::Instant;

use super::series::Series;
use crate::candidate::{Candidate, Side};
use crate::monitor::context::Context;
use crate::monitor::numbers::Bounded;
use crate::redact::Secrets;
use crate::state::{DataChannelState, SdpType};
use crate::stats::{MediaKind, StatsReport};

/// The index of a side in arrays with an item for each side.
pub(super) fn index(side: Side) -> usize {
    match side {
        Side::Local => 0,
        Side::Remote => 1,
    }
}

/// What was negotiated, gathered and measured in one connection.
#[derive(Default)]
pub(super) struct Session {
    pub(super) secrets: Secrets,
    pub(super) descriptions: Bounded<Description>,
    /// The ICE username fragments, by side. Another fragment in a later description is an ICE
    /// restart.
    pub(super) fragments: [Option<Box<str>>; 2],
    /// Whether an ICE restart was offered and not answered yet.
    pub(super) restarting: bool,
    pub(super) candidates: [Candidates; 2],
    pub(super) candidate_errors: Vec<(u16, Box<str>)>,
    /// The first DTLS alert of each side.
    pub(super) alerts: [Option<u8>; 2],
    /// The URLs of the ICE servers.
    pub(super) servers: Vec<Box<str>>,
    pub(super) relay_only: bool,
    pub(super) selected: Option<Selected>,
    pub(super) tracks: Bounded<Track>,
    pub(super) channels: Bounded<Channel>,
    pub(super) data_negotiated: bool,
    pub(super) media_expected: bool,
    pub(super) series: Series,
    /// The last report.
    pub(super) last: Option<Box<StatsReport>>,
}

/// The candidates of one side.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// The first candidates.
    pub(super) known: Vec<Candidate>,
    /// The number of further candidates, for which there was no room.
    pub(super) more: u64,
}

#[derive(Clone)]
pub(super) struct Description {
    pub(super) at: Instant,
    pub(super) side: Side,
    pub(super) kind: SdpType,
    pub(super) ice_restart: bool,
    /// The description without its secrets; `None` if it is too long to be kept.
    pub(super) sdp: Option<Box<str>>,
    /// The length with its secrets.
    pub(super) bytes: usize,
}

#[derive(Clone, PartialEq)]
pub(super) struct Selected {
    pub(super) since: Instant,
    pub(super) local: Option<Candidate>,
    pub(super) remote: Option<Candidate>,
    pub(super) changes: u32,
}

#[derive(Clone)]
pub(super) struct Track {
    pub(super) id: Box<str>,
    pub(super) kind: Option<MediaKind>,
    pub(super) side: Side,
    pub(super) added: Instant,
    pub(super) removed: Option<Instant>,
}

#[derive(Clone)]
pub(super) struct Channel {
    pub(super) id: u64,
    pub(super) label: Box<str>,
    pub(super) side: Option<Side>,
    pub(super) state: Option<DataChannelState>,
    pub(super) messages_sent: u64,
    pub(super) messages_received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

/// Whether both candidates are the same transport address.
fn is_at(one: &Candidate, other: &Candidate) -> bool {
    // If addresses are removed, the addresses are equal (`None`), and only these fields can differ.
    let place = |it: &Candidate| (it.protocol, it.port, it.scope, it.ipv6);
    place(one) == place(other) && one.address == other.address
}

impl Session {
    /// Adds a candidate. Returns whether it was new and there was room for it.
    ///
    /// A candidate for which there is no room is counted only if it was `signalled`, because each
    /// report of statistics contains it again.
    pub(super) fn add_candidate(
        &mut self,
        context: &Context,
        side: Side,
        candidate: &Candidate,
        signalled: bool,
    ) -> bool {
        let hidden = context.redactor.addresses.then(|| context.candidate(candidate));
        let candidate = hidden.as_ref().unwrap_or(candidate);
        let candidates = &mut self.candidates[index(side)];
        if candidates.known.iter().any(|known| is_at(known, candidate)) {
            return false;
        }
        let room = candidates.known.len() < context.limits.candidates;
        if room {
            candidates.known.push(candidate.clone());
        }
        candidates.more = candidates.more.saturating_add(u64::from(!room && signalled));
        room
    }
}
