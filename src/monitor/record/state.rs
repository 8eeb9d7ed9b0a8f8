//! What is known of one connection, as it changes.

use std::time::{Duration, Instant};

use super::session::Session;
use crate::monitor::context::Context;
use crate::monitor::diagnosis::Diagnosis;
use crate::monitor::numbers::{Bounded, OperationCounts, OutcomeKind, TaskCounts};
use crate::monitor::options::{ERROR_BYTES, NAME_BYTES};
use crate::monitor::report::TimelineEvent;
use crate::peer::{CloseMode, CloseReason, Probe};
use crate::redact::Secrets;
use crate::runtime::Clock;
use crate::state::{ConnectionState, IceConnectionState, IceGatheringState, SignalingState};
use crate::task::{TaskEnd, TaskInfo};

pub(crate) struct State {
    /// By which every instant here is: the peer's own, once it was opened.
    pub(super) clock: Clock,
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
    pub(super) early: Option<EarlyEnd>,
    /// Closes that did not close.
    pub(super) not_closed: u64,
    pub(super) released: Option<Instant>,
    /// Callbacks that hold the driver beyond their budget. Below zero for a moment where a return
    /// is told before its stall.
    pub(super) stalled: i32,
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

#[derive(Clone)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) reason: CloseReason,
    /// `None` where the end could not be seen.
    pub(super) mode: Option<CloseMode>,
    pub(super) took: Duration,
    pub(super) diagnosis: Option<Box<Diagnosis>>,
}

/// Why, how and within what time a connection ended that was not opened yet.
pub(crate) type EarlyEnd = (CloseReason, Option<CloseMode>, Option<Duration>);

/// One entry of a timeline.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) event: TimelineEvent,
}

/// A text loses its secrets here, before it is kept.
impl State {
    pub(super) fn new() -> Self {
        let clock = Clock::system();
        let now = clock.now();
        Self {
            clock,
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
            stalled: 0,
            fresh: Vec::new(),
        }
    }

    /// Whether there are entries that the outlets have not been told yet: mostly not.
    #[inline]
    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Entries that the outlets have not been told yet.
    pub(super) fn take_fresh(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.get_or_insert_default()
    }

    #[inline]
    pub(crate) fn note(&mut self, context: &Context, at: Instant, event: TimelineEvent) {
        self.updated = at;
        let entry = Entry { at, event };
        if context.outlets.take_events() {
            self.fresh.push(entry.clone());
        }
        self.timeline.push(entry, context.limits.timeline);
    }

    pub(super) fn text(&self, context: &Context, text: &str, limit: usize) -> Box<str> {
        context.redactor.text(text, self.secrets(), limit)
    }

    /// The secrets of this connection.
    pub(crate) fn secrets(&self) -> &Secrets {
        self.session.as_ref().map_or(Secrets::none(), |session| &session.secrets)
    }

    pub(super) fn name(&self, context: &Context, name: &str) -> Box<str> {
        self.text(context, name, NAME_BYTES)
    }

    pub(crate) fn error(&mut self, context: &Context, at: Instant, text: &str) {
        let text = self.text(context, text, ERROR_BYTES);
        self.errors.push((at, text.clone()), context.limits.errors);
        self.note(context, at, TimelineEvent::Error(text));
    }

    pub(crate) fn task_started(&mut self, context: &Context, at: Instant, task: &TaskInfo) {
        self.tasks.started += 1;
        let (id, name) = (task.id, task.name);
        self.note(context, at, TimelineEvent::TaskAdded { id, name });
    }

    pub(crate) fn task_ended(
        &mut self,
        context: &Context,
        at: Instant,
        task: &TaskInfo,
        end: &TaskEnd,
    ) {
        self.tasks.ended += 1;
        let (id, name, end) = (task.id, task.name, end.into());
        self.note(context, at, TimelineEvent::TaskRemoved { id, name, end });
    }

    pub(crate) fn operation_started(&mut self) {
        self.operations.started += 1;
    }

    pub(crate) fn operation_ended(&mut self, outcome: OutcomeKind) {
        self.operations.add(outcome);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The time for the peer.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn is_opened(&self) -> bool {
        self.opened.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    pub(crate) fn connection(&self) -> ConnectionState {
        self.connection
    }

    pub(crate) fn probe(&self) -> Option<Probe> {
        self.probe.clone()
    }

    pub(super) fn tells_state(&self) -> bool {
        self.probe.as_ref().is_some_and(Probe::tells_state)
    }

    pub(super) fn tells_release(&self) -> bool {
        self.probe.as_ref().is_some_and(Probe::tells_release)
    }
}
