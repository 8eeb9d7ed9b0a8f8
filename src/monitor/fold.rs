//! Updates the records from events.
//!
//! This code runs on the thread where an event happens, which may be that of a driver. Each event
//! locks its record and updates some counters, and waits for nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::hub::Hub;
use super::operations::{OperationRecord, RawOutcome, clean_target};
use super::record::{Connection, State};
use super::report::{OperationOutcome, OperationTarget, TimelineEvent};
use crate::event::{Event, EventKind, Observer};
use crate::id::PeerId;
use crate::peer::{CloseReason, Outcome, Probe};
use crate::redact::Secrets;

/// The observer of one peer, which updates the record of its connection.
///
/// The peer's status holds the observer. When the status is dropped and the record has not ended,
/// the record is ended.
pub(super) struct PeerFold {
    pub(super) hub: Arc<Hub>,
    pub(super) connection: Arc<Connection>,
}

impl Observer for PeerFold {
    fn on_event(&self, event: &Event<'_>) {
        let (hub, context, at) = (&*self.hub, &self.hub.context, event.at);
        context.counters.events.add(1);
        match event.kind {
            EventKind::Opened { probe, .. } => self.opened(event, probe.clone()),
            EventKind::ConnectionStateChanged { state, .. } => {
                self.change(|record| record.connection_state(context, at, state));
            }
            EventKind::IceConnectionStateChanged { state, .. } => {
                self.change(|record| record.ice_state(context, at, state));
            }
            EventKind::IceGatheringStateChanged { state, .. } => {
                self.change(|record| record.gathering_state(context, at, state));
            }
            EventKind::SignalingStateChanged { state, .. } => {
                self.change(|record| record.signaling_state(context, at, state));
            }
            EventKind::NegotiationNeeded { .. } => {
                self.note(at, TimelineEvent::NegotiationNeeded);
            }
            EventKind::DescriptionProposed { side, sdp, .. } => {
                self.change(|record| record.learn_secrets(side, sdp.as_str()));
            }
            EventKind::DescriptionSet { side, kind, sdp, .. } => {
                self.change(|record| record.describe(context, at, side, kind, sdp.as_str()));
            }
            EventKind::CandidateAdded { side, candidate, .. } => {
                self.change(|record| record.add_candidate(context, at, side, candidate, true));
            }
            EventKind::CandidateFailed { url, code, message, .. } => {
                self.change(|record| record.candidate_failed(context, at, url, code, message));
            }
            EventKind::DtlsAlert { side, description, .. } => {
                self.change(|record| record.dtls_alert(context, at, side, description));
            }
            EventKind::Configured { configuration, .. } => {
                self.change(|record| record.configured(context, at, configuration));
            }
            EventKind::ChannelAdded { side, id, label, .. } => {
                self.change(|record| record.channel_added(context, at, side, id, label));
            }
            EventKind::TrackAdded { side, id, kind, .. } => {
                self.change(|record| record.track_added(context, at, side, id, kind));
            }
            EventKind::TrackRemoved { side, id, .. } => {
                self.change(|record| record.track_removed(context, at, side, id));
            }
            EventKind::Stats { report, .. } => self.connection.sampled(context, at, report.clone()),
            EventKind::CloseStarted { reason, .. } => {
                self.note(at, TimelineEvent::CloseStarted(reason));
            }
            EventKind::Closed { reason, mode, took, .. } => {
                let mode = Some(mode.clone());
                self.end(|record| record.finish(context, at, reason, mode, Some(took)));
            }
            EventKind::NotClosed { reason, outcome: Outcome::Unconfirmed, took, .. } => {
                self.end(|record| record.finish(context, at, reason, None, Some(took)));
            }
            EventKind::NotClosed { outcome, took, .. } => {
                self.change(|record| record.not_closed(context, at, outcome, took));
            }
            EventKind::Released { .. } => self.change(|record| record.release(context, at)),
            EventKind::HandlerStalled { callback, .. } => {
                self.change(|record| record.handler_stalled(context, at, callback));
            }
            EventKind::HandlerReturned { callback, .. } => {
                self.change(|record| record.handler_returned(context, at, callback));
            }
            EventKind::HandlerPanicked { callback, message, .. } => {
                self.error(at, &format!("{callback} panicked: {message}"));
            }
            EventKind::TaskGroupCreated { group, .. } => {
                hub.tasks.add_group(Some(self.connection.number), group.clone());
            }
            EventKind::TaskStarted { task } => {
                hub.tasks.started(task);
                self.change(|record| record.task_started(context, at, task));
            }
            EventKind::TaskEnded { task, end } => {
                hub.tasks.ended(task, end);
                self.change(|record| record.task_ended(context, at, task, end));
            }
            EventKind::TasksStuck { tasks, .. } => self.error(at, &tasks.to_string()),
            EventKind::OperationStarted { id, operation, .. } => {
                self.change(State::operation_started);
                let target = OperationTarget::Peer(self.connection.id.clone());
                let record = OperationRecord::spanned(id, operation, target, event.clock, at);
                hub.operations.start(context, record);
            }
            EventKind::OperationEnded { id, operation, ref end, .. } => {
                // Formatting an error calls foreign code, which must not run under the lock.
                let raw = RawOutcome::of(end);
                let outcome = self.change(|record| {
                    let outcome = raw.clean(&context.redactor, record.secrets());
                    record.operation_ended(outcome.kind());
                    outcome
                });
                if let OperationOutcome::Failed(chain) = &outcome
                    && let Some(text) = chain.first()
                {
                    self.error(at, &format!("{operation}: {text}"));
                }
                hub.operations.end(context, id, operation, at, outcome);
            }
        }
    }
}

impl Drop for PeerFold {
    /// Ends the record of a peer whose close did not succeed, and that nothing holds any more. A
    /// peer that was refused was never opened, and has nothing to end.
    fn drop(&mut self) {
        let context = &self.hub.context;
        let (is_opened, at) = self.connection.read(|record| (record.is_opened(), record.now()));
        if !is_opened {
            return;
        }
        // This may run in any destructor, and the outlets call foreign code, which may panic.
        let _ignored = catch_unwind(AssertUnwindSafe(|| {
            self.end(|record| {
                let ended = record.finish(context, at, CloseReason::Dropped, None, None);
                record.release(context, at);
                ended
            });
        }));
    }
}

impl PeerFold {
    #[inline]
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.connection.change(&self.hub.context, change)
    }

    fn note(&self, at: Instant, event: TimelineEvent) {
        self.change(|record| record.note(&self.hub.context, at, event));
    }

    fn error(&self, at: Instant, text: &str) {
        self.change(|record| record.error(&self.hub.context, at, text));
    }

    /// Opens the record and lists the connection. An end that was reported before is applied.
    fn opened(&self, event: &Event<'_>, probe: Probe) {
        let (context, at) = (&self.hub.context, event.at);
        let early = self.change(|record| record.opened(context, at, event.clock.clone(), probe));
        if let Some(book) = self.hub.book.upgrade() {
            book.open(&self.connection);
            // If the connection ended on another thread before it was listed, remove it here.
            if self.connection.read(State::has_ended) {
                book.take_off(&self.connection);
            }
        }
        if let Some((reason, mode, took)) = early {
            self.end(|record| record.finish(context, at, reason, mode, took));
        }
    }

    /// Ends the record with `finish`, and moves the connection to those that have ended.
    fn end(&self, finish: impl FnOnce(&mut State) -> bool) {
        if !self.change(finish) {
            return;
        }
        if let Some(book) = self.hub.book.upgrade() {
            book.close(&self.connection);
        }
        if let Some(sink) = self.hub.context.outlets.sink() {
            let (hub, connection) = (Arc::clone(&self.hub), Arc::clone(&self.connection));
            sink.connection(Box::new(move || hub.connection_info(&connection)));
        }
    }
}

/// The observer of a set, for events that belong to no peer: closes of unknown peers, of groups and
/// of all peers, and tasks without a peer.
pub(super) struct SetFold {
    pub(super) hub: Arc<Hub>,
}

impl Observer for SetFold {
    fn on_event(&self, event: &Event<'_>) {
        let (hub, context, at) = (&*self.hub, &self.hub.context, event.at);
        context.counters.events.add(1);
        match event.kind {
            EventKind::TaskGroupCreated { group, .. } => hub.tasks.add_group(None, group.clone()),
            EventKind::TaskStarted { task } => hub.tasks.started(task),
            EventKind::TaskEnded { task, end } => hub.tasks.ended(task, end),
            EventKind::OperationStarted { id, operation, target, .. } => {
                let target = clean_target(&context.redactor, target);
                let record = OperationRecord::spanned(id, operation, target, event.clock, at);
                hub.operations.start(context, record);
            }
            EventKind::OperationEnded { id, operation, ref end, .. } => {
                let outcome = RawOutcome::of(end).clean(&context.redactor, Secrets::none());
                hub.operations.end(context, id, operation, at, outcome);
            }
            _ => {}
        }
    }

    fn for_peer(&self, peer: &PeerId, group: Option<&crate::GroupId>) -> Option<Arc<dyn Observer>> {
        let book = self.hub.book.upgrade()?;
        let connection = book.expect(peer, group);
        Some(Arc::new(PeerFold { hub: Arc::clone(&self.hub), connection }))
    }
}
