//! From events to records.
//!
//! It runs where things happen, also inside drivers: each event takes its record's lock, some
//! counters, and nothing that waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::hub::Hub;
use super::operations::{OperationRecord, RawOutcome, clean_target};
use super::record::{Connection, State};
use super::report::{OperationOutcome, OperationTarget, TimelineEvent};
use crate::event::{Event, Observer};
use crate::id::PeerId;
use crate::peer::{CloseReason, Outcome, Probe};
use crate::redact::Secrets;

/// Folds the events of one peer into its record.
///
/// The peer's status holds it; when that goes, whatever became of the peer, the record is ended.
pub(super) struct PeerFold {
    pub(super) hub: Arc<Hub>,
    pub(super) connection: Arc<Connection>,
}

impl Observer for PeerFold {
    fn on_event(&self, event: &Event<'_>) {
        let (hub, context, at) = (&*self.hub, &self.hub.context, Instant::now());
        context.counters.events.add(1);
        match *event {
            Event::Opened { probe, .. } => self.opened(at, probe.clone()),
            Event::StateChanged { state, .. } => {
                self.change(|record| record.connection_state(context, at, state));
            }
            Event::IceConnectionStateChanged { state, .. } => {
                self.change(|record| record.ice_state(context, at, state));
            }
            Event::IceGatheringStateChanged { state, .. } => {
                self.change(|record| record.gathering_state(context, at, state));
            }
            Event::SignalingStateChanged { state, .. } => {
                self.change(|record| record.signaling_state(context, at, state));
            }
            Event::NegotiationNeeded { .. } => {
                self.note(at, TimelineEvent::NegotiationNeeded);
            }
            Event::Described { side, kind, sdp, .. } => {
                self.change(|record| record.describe(context, at, side, kind, sdp.as_str()));
            }
            Event::CandidateAdded { side, candidate, .. } => {
                self.change(|record| record.add_candidate(context, at, side, candidate, true));
            }
            Event::CandidateFailed { url, code, message, .. } => {
                self.change(|record| record.candidate_failed(context, at, url, code, message));
            }
            Event::DtlsAlert { side, description, .. } => {
                self.change(|record| record.dtls_alert(context, at, side, description));
            }
            Event::Configured { configuration, .. } => {
                self.change(|record| record.configured(context, at, configuration));
            }
            Event::ChannelAdded { side, id, label, .. } => {
                self.change(|record| record.channel_added(context, at, side, id, label));
            }
            Event::TrackAdded { side, id, kind, .. } => {
                self.change(|record| record.track_added(context, at, side, id, kind));
            }
            Event::TrackRemoved { side, id, .. } => {
                self.change(|record| record.track_removed(context, at, side, id));
            }
            Event::Stats { report, .. } => self.connection.sampled(context, at, report.clone()),
            Event::CloseStarted { reason, .. } => {
                self.note(at, TimelineEvent::CloseStarted(reason));
            }
            Event::Closed { reason, closure, took, .. } => {
                let closure = Some(closure.clone());
                self.end(|record| record.finish(context, at, reason, closure, Some(took)));
            }
            Event::NotClosed { reason, outcome: Outcome::Unconfirmed, took, .. } => {
                self.end(|record| record.finish(context, at, reason, None, Some(took)));
            }
            Event::NotClosed { outcome, took, .. } => {
                self.change(|record| record.not_closed(context, at, outcome, took));
            }
            Event::Released { .. } => self.change(|record| record.release(context, at)),
            Event::HandlerStalled { callback, .. } => {
                self.change(|record| record.handler_stalled(context, at, callback));
            }
            Event::HandlerReturned { callback, .. } => {
                self.change(|record| record.handler_returned(context, at, callback));
            }
            Event::HandlerPanicked { callback, message, .. } => {
                self.error(at, &format!("{callback} panicked: {message}"));
            }
            Event::TaskGroupMade { group, .. } => {
                hub.tasks.add_group(Some(self.connection.number), group.clone());
            }
            Event::TaskStarted { task } => {
                hub.tasks.started(task);
                self.change(|record| record.task_started(context, at, task));
            }
            Event::TaskEnded { task, end } => {
                hub.tasks.ended(task, end);
                self.change(|record| record.task_ended(context, at, task, end));
            }
            Event::TasksStuck { tasks, .. } => self.error(at, &tasks.to_string()),
            Event::OperationStarted { id, operation, .. } => {
                self.change(State::operation_started);
                let target = OperationTarget::Peer(self.connection.id.clone());
                let record = OperationRecord::spanned(id, operation, target, at);
                hub.operations.start(context, record);
            }
            Event::OperationEnded { id, operation, ref end, .. } => {
                // The text of an error is foreign code, and is not made under the lock.
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
    /// A peer whose close did not succeed, and that nobody holds any more; or one that was refused,
    /// and is none.
    fn drop(&mut self) {
        let (context, at) = (&self.hub.context, Instant::now());
        if !self.connection.read(State::is_opened) {
            return;
        }
        // A drop may come anywhere, and what is told may be heard by any code.
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

    fn opened(&self, at: Instant, probe: Probe) {
        let context = &self.hub.context;
        let early = self.change(|record| record.opened(context, at, probe));
        if let Some(book) = self.hub.book.upgrade() {
            book.open(&self.connection);
            // The connection may have ended just before: then nobody else takes it off.
            if self.connection.read(State::has_ended) {
                book.take_off(&self.connection);
            }
        }
        if let Some((reason, closure, took)) = early {
            self.end(|record| record.finish(context, at, reason, closure, took));
        }
    }

    /// Ends the record by `finish`, and takes the connection off the live ones.
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

/// Folds what belongs to no peer: closes of unknown peers, of groups and of all; free tasks.
pub(super) struct SetFold {
    pub(super) hub: Arc<Hub>,
}

impl Observer for SetFold {
    fn on_event(&self, event: &Event<'_>) {
        let (hub, context, at) = (&*self.hub, &self.hub.context, Instant::now());
        context.counters.events.add(1);
        match *event {
            Event::TaskGroupMade { group, .. } => hub.tasks.add_group(None, group.clone()),
            Event::TaskStarted { task } => hub.tasks.started(task),
            Event::TaskEnded { task, end } => hub.tasks.ended(task, end),
            Event::OperationStarted { id, operation, target, .. } => {
                let target = clean_target(&context.redactor, target);
                let record = OperationRecord::spanned(id, operation, target, at);
                hub.operations.start(context, record);
            }
            Event::OperationEnded { id, operation, ref end, .. } => {
                let outcome = RawOutcome::of(end).clean(&context.redactor, Secrets::none());
                hub.operations.end(context, id, operation, at, outcome);
            }
            _ => {}
        }
    }

    fn for_peer(&self, peer: &PeerId, group: Option<&crate::GroupId>) -> Option<Arc<dyn Observer>> {
        let book = self.hub.book.upgrade()?;
        let connection = book.expect(peer, group, Instant::now());
        Some(Arc::new(PeerFold { hub: Arc::clone(&self.hub), connection }))
    }
}
