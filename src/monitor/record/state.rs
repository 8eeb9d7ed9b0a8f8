//! The state of a connection's record.

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

/// The state of a connection's record.
pub(crate) struct State {
    /// The clock of every instant in the record: the peer's clock, once the record was opened.
    pub(super) clock: Clock,
    pub(super) opened: Option<Instant>,
    pub(super) updated: Instant,
    /// The time of the last sample before which the connection had sent or received something.
    pub(super) active: Instant,
    pub(super) connection: ConnectionState,
    pub(super) ice: IceConnectionState,
    pub(super) gathering: IceGatheringState,
    pub(super) signaling: SignalingState,
    pub(super) timeline: Bounded<Entry>,
    pub(super) setup: Setup,
    /// The part that is only needed once something was negotiated.
    pub(super) session: Option<Box<Session>>,
    pub(super) errors: Bounded<(Instant, Box<str>)>,
    pub(super) operations: OperationCounts,
    pub(super) tasks: TaskCounts,
    pub(super) probe: Option<Probe>,
    pub(super) end: Option<End>,
    /// An end that was reported before the opening: another thread may find a peer and close it
    /// before the opening of the peer is reported.
    pub(super) early: Option<EarlyEnd>,
    /// The number of closes that did not end the connection.
    pub(super) not_closed: u64,
    /// When all memory was freed.
    pub(super) released: Option<Instant>,
    /// The number of callbacks that hold the driver beyond their budget. It is negative for a
    /// moment if the return of a callback is reported before its stall.
    pub(super) stalled: i32,
    /// Entries that are to be passed on to the outlets when the record is unlocked.
    fresh: Vec<Entry>,
}

/// When the steps of the setup were reached for the first time.
#[derive(Clone, Copy, Default)]
pub(super) struct Setup {
    pub(super) described: [Option<Instant>; 2],
    pub(super) ice: Option<Instant>,
    pub(super) connected: Option<Instant>,
    /// When the connection was last connected again.
    pub(super) connected_last: Option<Instant>,
}

/// The end of a connection.
#[derive(Clone)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) reason: CloseReason,
    /// `None` if the end could not be observed.
    pub(super) mode: Option<CloseMode>,
    pub(super) took: Duration,
    pub(super) diagnosis: Option<Box<Diagnosis>>,
}

/// The reason, the mode and the duration of an end that is reported before the opening.
pub(crate) type EarlyEnd = (CloseReason, Option<CloseMode>, Option<Duration>);

/// One entry of a timeline.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) event: TimelineEvent,
}

/// Secrets are removed from each text before it is kept.
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

    /// Whether there are entries that have not been passed on to the outlets.
    #[inline]
    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Takes the entries that have not been passed on to the outlets.
    pub(super) fn take_fresh(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.get_or_insert_default()
    }

    /// Adds an entry to the timeline.
    #[inline]
    pub(crate) fn note(&mut self, context: &Context, at: Instant, event: TimelineEvent) {
        self.updated = at;
        let entry = Entry { at, event };
        if context.outlets.take_events() {
            self.fresh.push(entry.clone());
        }
        self.timeline.push(entry, context.limits.timeline);
    }

    /// Removes secrets from a text, and cuts it at `limit` bytes.
    pub(super) fn text(&self, context: &Context, text: &str, limit: usize) -> Box<str> {
        context.redactor.text(text, self.secrets(), limit)
    }

    /// The known secrets of this connection.
    pub(crate) fn secrets(&self) -> &Secrets {
        self.session.as_ref().map_or(Secrets::none(), |session| &session.secrets)
    }

    /// Removes secrets from a name, and cuts it at [`NAME_BYTES`].
    pub(super) fn name(&self, context: &Context, name: &str) -> Box<str> {
        self.text(context, name, NAME_BYTES)
    }

    /// Records an error.
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

    /// The current time of the peer's clock.
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
