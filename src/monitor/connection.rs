//! The record of one connection.

use std::time::{Duration, Instant};

use super::bounded::Bounded;
use super::core::Core;
use super::counters::{CloseEnd, Phase};
use super::diagnosis::{Cause, Diagnosis, Evidence, diagnose};
use super::options::{ERROR_BYTES, NAME_BYTES};
use super::series::Series;
use super::timeline::{Entry, Happening};
use crate::candidate::{Candidate, Side};
use crate::id::{GroupId, PeerId};
use crate::peer::{CloseFailure, CloseReason, Closure, ForceCause, Probe};
use crate::redact::Secrets;
use crate::state::{
    ConnectionState, DataChannelState, IceConnectionState, IceGatheringState, SdpType,
    SignalingState,
};
use crate::stats::{MediaKind, StatsReport};
use crate::sync::Mutex;

/// What is known of one connection, from before it is opened until it leaves the ring.
pub(super) struct Connection {
    /// In the order in which they were opened.
    pub(super) number: u64,
    pub(super) id: PeerId,
    pub(super) group: Option<GroupId>,
    pub(super) state: Mutex<State>,
}

/// One of a side's, by [`Side`].
pub(super) fn index(side: Side) -> usize {
    match side {
        Side::Local => 0,
        Side::Remote => 1,
    }
}

pub(super) struct State {
    pub(super) opened: Option<Instant>,
    pub(super) updated: Instant,
    /// When it last sent or received something, as far as samples tell.
    pub(super) active: Instant,
    pub(super) connection: ConnectionState,
    pub(super) ice: IceConnectionState,
    pub(super) gathering: IceGatheringState,
    pub(super) signaling: SignalingState,
    pub(super) timeline: Bounded<Entry>,
    pub(super) setup: Setup,
    /// What is not needed before something was negotiated.
    pub(super) session: Option<Box<Session>>,
    pub(super) errors: Bounded<(Instant, Box<str>)>,
    pub(super) operations: OperationCounts,
    pub(super) tasks: TaskCounts,
    pub(super) probe: Option<Probe>,
    pub(super) end: Option<End>,
    /// An end that was told before the beginning: another thread may see a peer, and close it,
    /// before the one that opens it has said so.
    pub(super) early: Option<(CloseReason, Option<Closure>, Option<Duration>)>,
    /// Closes that did not close.
    pub(super) not_closed: u64,
    pub(super) released: Option<Instant>,
    /// Entries of which others are to be told, once the record is not locked.
    fresh: Vec<Entry>,
}

/// When parts of the setup were over.
#[derive(Clone, Copy, Default)]
pub(super) struct Setup {
    pub(super) described: [Option<Instant>; 2],
    pub(super) ice: Option<Instant>,
    pub(super) connected: Option<Instant>,
    /// The last time, for what is connected again.
    pub(super) connected_last: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
/// How many operations there were, by their ends. What has started has ended in one of the ways, or
/// is under way.
pub struct OperationCounts {
    /// All.
    pub started: u64,
    /// Those that ended with a result.
    pub completed: u64,
    /// Those that ended with an error.
    pub failed: u64,
    /// Those whose future was dropped.
    pub canceled: u64,
}

impl OperationCounts {
    /// How many are under way.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.completed + self.failed + self.canceled)
    }
}

/// How many recorded tasks there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskCounts {
    /// All.
    pub started: u64,
    /// Those that have ended.
    pub ended: u64,
}

impl TaskCounts {
    /// How many have not ended.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.started.saturating_sub(self.ended)
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

#[derive(Clone)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) reason: CloseReason,
    /// `None` where the end could not be seen.
    pub(super) closure: Option<Closure>,
    pub(super) took: Duration,
    pub(super) diagnosis: Option<Box<Diagnosis>>,
}

impl Connection {
    pub(super) fn new(number: u64, id: PeerId, group: Option<GroupId>, now: Instant) -> Self {
        let state = State {
            opened: None,
            updated: now,
            active: now,
            connection: ConnectionState::New,
            ice: IceConnectionState::New,
            gathering: IceGatheringState::New,
            signaling: SignalingState::Stable,
            timeline: Bounded::new(),
            setup: Setup::default(),
            session: None,
            errors: Bounded::new(),
            operations: OperationCounts::default(),
            tasks: TaskCounts::default(),
            probe: None,
            end: None,
            early: None,
            not_closed: 0,
            released: None,
            fresh: Vec::new(),
        };
        Self { number, id, group, state: Mutex::new(state) }
    }

    /// Changes the record, and says what happened by that.
    #[inline]
    pub(super) fn with<T>(&self, core: &Core, change: impl FnOnce(&mut State) -> T) -> T {
        let mut record = self.state.lock();
        let result = change(&mut record);
        if record.fresh.is_empty() {
            return result;
        }
        let fresh = std::mem::take(&mut record.fresh);
        drop(record);
        for entry in &fresh {
            core.tell(&self.id, entry);
        }
        result
    }
}

/// What a text is without secrets is decided here, before it is kept.
impl State {
    pub(super) fn session(&mut self) -> &mut Session {
        self.session.get_or_insert_default()
    }

    #[inline]
    pub(super) fn note(&mut self, core: &Core, at: Instant, what: Happening) {
        self.updated = at;
        let entry = Entry { at, what };
        if core.is_heard() {
            self.fresh.push(entry.clone());
        }
        self.timeline.push(entry, core.limits.timeline);
    }

    pub(super) fn text(&self, core: &Core, text: &str, limit: usize) -> Box<str> {
        match &self.session {
            Some(session) => core.redactor.text(text, &session.secrets, limit),
            None => core.redactor.text(text, &Secrets::default(), limit),
        }
    }

    pub(super) fn name(&self, core: &Core, name: &str) -> Box<str> {
        self.text(core, name, NAME_BYTES)
    }

    /// Moves the connection from one state to another, in the numbers too.
    #[inline]
    pub(super) fn set_connection(&mut self, core: &Core, at: Instant, state: ConnectionState) {
        if self.opened.is_some() && self.end.is_none() {
            core.counters.state(self.connection).add(-1);
            core.counters.state(state).add(1);
        }
        self.connection = state;
        if state == ConnectionState::Connected {
            self.setup.connected_last = Some(at);
            if self.setup.connected.is_none() {
                self.setup.connected = Some(at);
                let since =
                    |earlier: Option<Instant>| earlier.map(|it| at.saturating_duration_since(it));
                for (phase, time) in
                    [(Phase::Total, since(self.opened)), (Phase::Dtls, since(self.setup.ice))]
                {
                    if let Some(time) = time {
                        core.counters.setup(phase, true).observe(time);
                    }
                }
            }
        }
    }

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

    pub(super) fn error(&mut self, core: &Core, at: Instant, text: Box<str>) {
        self.errors.push((at, text.clone()), core.limits.errors);
        self.note(core, at, Happening::Error(text));
    }

    /// Ends the record, once; says whether this was the end.
    pub(super) fn finish(
        &mut self,
        core: &Core,
        at: Instant,
        reason: CloseReason,
        closure: Option<Closure>,
        took: Option<Duration>,
    ) -> bool {
        let Some(opened) = self.opened else {
            self.early.get_or_insert((reason, closure, took));
            return false;
        };
        if self.end.is_some() {
            return false;
        }
        let closure = closure.map(|closure| self.clean_closure(core, closure));
        let counters = &core.counters;
        let end = match &closure {
            Some(Closure::Graceful) => CloseEnd::Graceful,
            Some(Closure::Forced(_)) => CloseEnd::Forced,
            None => CloseEnd::Unconfirmed,
        };
        let diagnosis = diagnose(&self.evidence(at, Some(reason)));
        counters.state(self.connection).add(-1);
        counters.state(ConnectionState::Closed).add(1);
        counters.closed(reason).add(1);
        counters.lifetimes.observe(at.saturating_duration_since(opened));
        if let Some(took) = took.filter(|_| reason != CloseReason::Ended) {
            counters.close(end).observe(took);
        }
        if self.not_closed > 0 {
            counters.not_closed.add(-1);
        }
        if self.setup.connected.is_none() && self.tells_state() {
            counters.setup(Phase::Total, false).observe(at.saturating_duration_since(opened));
        }
        // A goodbye is no failure, nor is one that was not given the time.
        let failed = |it: &&Diagnosis| it.cause != Cause::RemoteClosed;
        let in_time = !self.evidence(at, Some(reason)).had_no_time();
        if let Some(diagnosis) = diagnosis.as_ref().filter(failed).filter(|_| in_time) {
            counters.failure(diagnosis.stage, diagnosis.cause).add(1);
        }
        if self.session.as_ref().is_some_and(|session| session.restarting) {
            counters.ice_restarts[1].add(1);
        }
        if self.tells_release() && self.released.is_none() {
            counters.unreleased.add(1);
        }
        for channel in self.session.iter_mut().flat_map(|session| session.channels.iter_mut()) {
            if let Some(state) = channel.state {
                counters.channel(state).add(-1);
            }
            channel.state = Some(DataChannelState::Closed);
        }
        let diagnosis = diagnosis.map(Box::new);
        let took = took.unwrap_or_default();
        self.end = Some(End { at, reason, closure, took, diagnosis });
        self.connection = ConnectionState::Closed;
        self.note(core, at, Happening::Closed(reason));
        true
    }

    pub(super) fn release(&mut self, core: &Core, at: Instant) {
        if self.released.is_none() {
            self.released = Some(at);
            if self.end.is_some() && self.tells_release() {
                core.counters.unreleased.add(-1);
            }
            self.note(core, at, Happening::Released);
        }
    }

    /// How it ended, with its texts as they may be kept.
    fn clean_closure(&self, core: &Core, closure: Closure) -> Closure {
        let clean = |text: String| String::from(self.text(core, &text, ERROR_BYTES));
        match closure {
            Closure::Forced(ForceCause::Failed(failure)) => {
                Closure::Forced(ForceCause::Failed(match failure {
                    CloseFailure::Error(text) => CloseFailure::Error(clean(text)),
                    CloseFailure::Panicked(text) => CloseFailure::Panicked(clean(text)),
                    CloseFailure::Lost => CloseFailure::Lost,
                }))
            }
            other => other,
        }
    }

    pub(super) fn tells_state(&self) -> bool {
        self.probe.as_ref().is_some_and(Probe::tells_state)
    }

    pub(super) fn tells_release(&self) -> bool {
        self.probe.as_ref().is_some_and(Probe::tells_release)
    }

    /// The verdict: that of its end, or that of now.
    pub(super) fn diagnosis(&self, now: Instant) -> Option<Diagnosis> {
        match &self.end {
            Some(end) => end.diagnosis.as_deref().cloned(),
            None => diagnose(&self.evidence(now, None)),
        }
    }

    fn evidence(&self, now: Instant, close: Option<CloseReason>) -> Evidence<'_> {
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
        if candidates.known.iter().any(|known| known.is_at(candidate)) {
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
