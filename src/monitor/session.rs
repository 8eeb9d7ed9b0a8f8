//! What was negotiated, gathered and measured in one connection.

use std::time::Instant;

use super::bounded::Bounded;
use super::connection::State;
use super::core::Core;
use super::options::NAME_BYTES;
use super::series::Series;
use super::timeline::Happening;
use crate::candidate::{Candidate, Side};
use crate::redact::Secrets;
use crate::state::{DataChannelState, SdpType};
use crate::stats::{MediaKind, StatsReport};

/// One of a side's, by [`Side`].
pub(super) fn index(side: Side) -> usize {
    match side {
        Side::Local => 0,
        Side::Remote => 1,
    }
}

/// What was negotiated, gathered and measured.
#[derive(Default)]
pub(super) struct Session {
    pub(super) secrets: Secrets,
    pub(super) descriptions: Bounded<Description>,
    /// ICE's user name fragments, by side: another one is a restart.
    pub(super) fragments: [Option<Box<str>>; 2],
    pub(super) restarting: bool,
    pub(super) candidates: [Candidates; 2],
    pub(super) candidate_errors: Vec<(u16, Box<str>)>,
    pub(super) alerts: [Option<u8>; 2],
    pub(super) servers: Vec<Box<str>>,
    pub(super) relay_only: bool,
    pub(super) selected: Option<Selected>,
    pub(super) tracks: Bounded<Track>,
    pub(super) channels: Bounded<Channel>,
    pub(super) data_negotiated: bool,
    pub(super) media_expected: bool,
    pub(super) series: Series,
    pub(super) last: Option<Box<StatsReport>>,
}

/// The first candidates of a side, and how many there were.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    pub(super) known: Vec<Candidate>,
    pub(super) more: u64,
}

#[derive(Clone)]
pub(super) struct Description {
    pub(super) at: Instant,
    pub(super) side: Side,
    pub(super) kind: SdpType,
    pub(super) ice_restart: bool,
    /// Without its secrets; `None` if it is too long to be kept.
    pub(super) sdp: Option<Box<str>>,
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

impl State {
    pub(super) fn describe(
        &mut self,
        core: &Core,
        at: Instant,
        side: Side,
        kind: SdpType,
        sdp: &str,
    ) {
        self.setup.described[index(side)].get_or_insert(at);
        let limits = core.limits;
        let session = self.session();
        session.secrets.add_of_sdp(side, sdp);
        let fragment = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"));
        let known = &mut session.fragments[index(side)];
        let ice_restart = fragment.is_some() && known.is_some() && known.as_deref() != fragment;
        if let Some(fragment) = fragment {
            *known = Some(crate::redact::cut(fragment, NAME_BYTES));
        }
        match kind {
            SdpType::Offer if ice_restart => session.restarting = true,
            SdpType::Rollback => session.restarting = false,
            SdpType::Answer if session.restarting => {
                session.restarting = false;
                core.counters.ice_restarts[0].add(1);
            }
            _ => {}
        }
        session.data_negotiated |= sdp.contains("\nm=application ");
        if side == Side::Remote {
            session.media_expected = sdp.split("\nm=").skip(1).any(|section| {
                (section.starts_with("audio ") || section.starts_with("video "))
                    && section.split(' ').nth(1) != Some("0")
                    && !section.contains("\na=recvonly")
                    && !section.contains("\na=inactive")
            });
        }
        let clean = core.redactor.sdp(sdp, &session.secrets);
        let kept = (clean.len() <= limits.description_bytes).then(|| clean.into_boxed_str());
        let description = Description { at, side, kind, ice_restart, sdp: kept, bytes: sdp.len() };
        session.descriptions.push(description, limits.descriptions);
        // Local ones are told one by one, whether or not they are in the description by now.
        if side == Side::Remote {
            for candidate in Candidate::of_sdp(sdp) {
                session.add_candidate(core, side, &candidate, true);
            }
        }
        self.note(core, at, Happening::Described { side, kind, ice_restart });
    }

    pub(super) fn add_candidate(
        &mut self,
        core: &Core,
        at: Instant,
        side: Side,
        candidate: &Candidate,
        told: bool,
    ) {
        if self.session().add_candidate(core, side, candidate, told) {
            let candidate = Box::new(core.candidate(candidate));
            self.note(core, at, Happening::Candidate { side, candidate });
        }
    }

    pub(super) fn add_channel(
        &mut self,
        core: &Core,
        at: Instant,
        id: u64,
        label: Box<str>,
        side: Option<Side>,
    ) {
        let session = self.session();
        if let Some(known) = session.channels.iter_mut().find(|known| known.id == id) {
            known.side = side;
            return;
        }
        let channel = Channel {
            id,
            label: label.clone(),
            side,
            state: None,
            messages_sent: 0,
            messages_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
        };
        // Those that are closed make room.
        let limit = core.limits.tracks_and_channels;
        let kept = session
            .channels
            .push_instead(channel, limit, |it| it.state == Some(DataChannelState::Closed));
        if kept {
            self.note(core, at, Happening::ChannelAdded { id, label });
        }
    }
}

/// Whether both are the same place, however it was learnt of.
fn is_at(one: &Candidate, other: &Candidate) -> bool {
    // Of one whose address is hidden, that is what is left of it.
    let place = |it: &Candidate| (it.protocol, it.port, it.scope, it.ipv6);
    place(one) == place(other) && one.address == other.address
}

impl Session {
    /// Says whether it is new.
    ///
    /// One for which there is no room is counted if it was `told`: a report has it again each time.
    pub(super) fn add_candidate(
        &mut self,
        core: &Core,
        side: Side,
        candidate: &Candidate,
        told: bool,
    ) -> bool {
        let hidden = core.redactor.addresses.then(|| core.candidate(candidate));
        let candidate = hidden.as_ref().unwrap_or(candidate);
        let candidates = &mut self.candidates[index(side)];
        if candidates.known.iter().any(|known| is_at(known, candidate)) {
            return false;
        }
        let room = candidates.known.len() < core.limits.candidates;
        if room {
            candidates.known.push(candidate.clone());
        }
        candidates.more = candidates.more.saturating_add(u64::from(!room && told));
        room
    }
}
