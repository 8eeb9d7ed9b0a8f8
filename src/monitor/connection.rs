//! The record of one connection.

use std::time::{Duration, Instant};

use super::bounded::Bounded;
use super::core::Core;
use super::counters::{CloseEnd, Phase};
use super::diagnosis::{Cause, Diagnosis, diagnose};
use super::options::{ERROR_BYTES, NAME_BYTES};
use super::session::Session;
use super::timeline::{Entry, Happening};
use crate::id::{GroupId, PeerId};
use crate::peer::{CloseFailure, CloseMode, CloseReason, ForceCause, Probe};
use crate::redact::Secrets;
use crate::state::{
    ConnectionState, DataChannelState, IceConnectionState, IceGatheringState, SignalingState,
};
use crate::sync::Mutex;

/// What is known of one connection, from before it is opened until it leaves the ring.
pub(super) struct Connection {
    /// In the order in which they were opened.
    pub(super) number: u64,
    pub(super) id: PeerId,
    pub(super) group: Option<GroupId>,
    pub(super) state: Mutex<State>,
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
    pub(super) early: Option<(CloseReason, Option<CloseMode>, Option<Duration>)>,
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

#[derive(Clone)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) reason: CloseReason,
    /// `None` where the end could not be seen.
    pub(super) closure: Option<CloseMode>,
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
            core.tell(self, entry);
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
        core.redactor.text(text, self.secrets(), limit)
    }

    /// Those of this connection.
    pub(super) fn secrets(&self) -> &Secrets {
        self.session.as_ref().map_or(Secrets::none(), |session| &session.secrets)
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
        closure: Option<CloseMode>,
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
            Some(CloseMode::Graceful) => CloseEnd::Graceful,
            Some(CloseMode::Forced(_)) => CloseEnd::Forced,
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
    fn clean_closure(&self, core: &Core, closure: CloseMode) -> CloseMode {
        let clean = |text: String| String::from(self.text(core, &text, ERROR_BYTES));
        match closure {
            CloseMode::Forced(ForceCause::Failed(failure)) => {
                CloseMode::Forced(ForceCause::Failed(match failure {
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
}
