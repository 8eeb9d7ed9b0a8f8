//! From events to records.
//!
//! It runs where things happen, also inside drivers: each event takes its record's lock, some
//! counters, and nothing that waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Connection, State};
use super::core::Core;
use super::counters::{CloseEnd, Phase};
use super::detail::Subject;
use super::ending::{Ending, RawEnd};
use super::options::{ERROR_BYTES, NAME_BYTES};
use super::session::{Track, index};
use super::timeline::Happening;
use crate::event::{Configuration, Event, EventKind, Observer};
use crate::id::PeerId;
use crate::peer::{CloseReason, Outcome, Probe};
use crate::redact::Secrets;
use crate::state::{IceConnectionState, IceGatheringState};

/// Folds the events of one peer into its record.
///
/// The peer's status holds it; when that goes, whatever became of the peer, the record is ended.
pub(super) struct PeerFold {
    pub(super) core: Arc<Core>,
    pub(super) connection: Arc<Connection>,
}

impl Observer for PeerFold {
    fn on_event(&self, event: &Event<'_>) {
        let (core, at) = (&*self.core, event.at);
        core.counters.events.add(1);
        match event.kind {
            EventKind::Opened { probe, .. } => self.opened(at, probe.clone()),
            EventKind::ConnectionStateChanged { state, .. } => self.with(|record| {
                // One that was under way when it ended changes nothing any more.
                if record.end.is_none() {
                    record.set_connection(core, at, state);
                    record.note(core, at, Happening::ConnectionState(state));
                }
            }),
            EventKind::IceConnectionStateChanged { state, .. } => {
                self.with(|record| record.ice(core, at, state));
            }
            EventKind::IceGatheringStateChanged { state, .. } => {
                self.with(|record| record.gathering(core, at, state));
            }
            EventKind::SignalingStateChanged { state, .. } => self.with(|record| {
                record.signaling = state;
                record.note(core, at, Happening::SignalingState(state));
            }),
            EventKind::NegotiationNeeded { .. } => {
                self.with(|record| record.note(core, at, Happening::NegotiationNeeded));
            }
            EventKind::DescriptionSet { side, kind, sdp, .. } => {
                self.with(|record| record.describe(core, at, side, kind, sdp.as_str()));
            }
            EventKind::CandidateAdded { side, candidate, .. } => {
                self.with(|record| record.add_candidate(core, at, side, candidate, true));
            }
            EventKind::CandidateFailed { url, code, message, .. } => {
                self.with(|record| record.candidate_failed(core, at, url, code, message));
            }
            EventKind::DtlsAlert { side, description, .. } => self.with(|record| {
                record.session().alerts[index(side)].get_or_insert(description);
                record.note(core, at, Happening::DtlsAlert { side, description });
            }),
            EventKind::Configured { configuration, .. } => {
                self.with(|record| record.configured(core, at, configuration));
            }
            EventKind::ChannelAdded { side, id, label, .. } => self.with(|record| {
                let label = record.name(core, label);
                record.add_channel(core, at, id, label, Some(side));
            }),
            EventKind::TrackAdded { side, id, kind, .. } => self.with(|record| {
                let id = record.name(core, id);
                let track = Track { id: id.clone(), kind, side, added: at, removed: None };
                record.session().tracks.push_if_room(track, core.limits.tracks_and_channels);
                record.note(core, at, Happening::TrackAdded { id });
            }),
            EventKind::TrackRemoved { side, id, .. } => self.with(|record| {
                let id = record.name(core, id);
                let track = |it: &&mut Track| it.side == side && it.id == id;
                if let Some(track) = record.session().tracks.iter_mut().find(track) {
                    track.removed = Some(at);
                }
                record.note(core, at, Happening::TrackRemoved { id });
            }),
            EventKind::Stats { report, .. } => self.connection.sampled(core, at, report.clone()),
            EventKind::CloseStarted { reason, .. } => {
                self.with(|record| record.note(core, at, Happening::CloseStarted(reason)));
            }
            EventKind::Closed { reason, mode, took, .. } => {
                let mode = Some(mode.clone());
                self.end(|record| record.finish(core, at, reason, mode, Some(took)));
            }
            EventKind::NotClosed { reason, outcome: Outcome::Unconfirmed, took, .. } => {
                self.end(|record| record.finish(core, at, reason, None, Some(took)));
            }
            EventKind::NotClosed { outcome, took, .. } => {
                self.with(|record| record.not_closed(core, at, outcome, took));
            }
            EventKind::Released { .. } => self.with(|record| record.release(core, at)),
            EventKind::HandlerStalled { callback, .. } => {
                self.with(|record| record.note(core, at, Happening::HandlerStalled(callback)));
            }
            EventKind::HandlerPanicked { callback, message, .. } => {
                self.error(at, &format!("{callback} panicked: {message}"));
            }
            EventKind::TaskGroupCreated { group, .. } => {
                core.tasks.add_group(Some(self.connection.number), group.clone());
            }
            EventKind::TaskStarted { task } => {
                core.tasks.started(task);
                self.with(|record| {
                    record.tasks.started += 1;
                    record.note(core, at, Happening::TaskAdded { id: task.id, name: task.name });
                });
            }
            EventKind::TaskEnded { task, end } => {
                core.tasks.ended(task, end);
                let (id, name, end) = (task.id, task.name, end.into());
                self.with(|record| {
                    record.tasks.ended += 1;
                    record.note(core, at, Happening::TaskRemoved { id, name, end });
                });
            }
            EventKind::TasksStuck { tasks, .. } => self.error(at, &tasks.to_string()),
            EventKind::OperationStarted { id, operation, .. } => {
                self.with(|record| record.operations.started += 1);
                core.start_operation(id, operation, at, Subject::of(&self.connection));
            }
            EventKind::OperationEnded { id, operation, ref end, .. } => {
                // An error's text is its own code, and not for under the lock.
                let raw = RawEnd::of(end);
                let ending = self.with(|record| {
                    let ending = raw.clean(&core.redactor, record.secrets());
                    record.operations.add(ending.kind());
                    ending
                });
                if let Ending::Failed(chain) = &ending
                    && let Some(text) = chain.first()
                {
                    self.error(at, &format!("{operation}: {text}"));
                }
                core.end_operation(id, operation, at, ending);
            }
        }
    }
}

impl Drop for PeerFold {
    /// A peer whose close did not succeed, and that nobody holds any more; or one that was refused,
    /// and is none.
    fn drop(&mut self) {
        let (core, at) = (&*self.core, Instant::now());
        if self.connection.state.lock().opened.is_none() {
            return;
        }
        // A drop may come anywhere, and what is told may be heard by any code.
        let _ignored = catch_unwind(AssertUnwindSafe(|| {
            self.end(|record| {
                let ended = record.finish(core, at, CloseReason::Dropped, None, None);
                record.release(core, at);
                ended
            });
        }));
    }
}

impl PeerFold {
    #[inline]
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.connection.with(&self.core, change)
    }

    fn opened(&self, at: Instant, probe: Probe) {
        let core = &*self.core;
        let early = self.with(|record| {
            record.opened = Some(at);
            record.probe = Some(probe);
            core.counters.opened.add(1);
            core.counters.state(record.connection).add(1);
            record.note(core, at, Happening::Opened);
            record.early.take()
        });
        if let Some(book) = self.core.book.upgrade() {
            book.open(&self.connection);
            // It may have ended just before: then nobody else takes it off.
            if self.connection.state.lock().end.is_some() {
                book.take_off(&self.connection);
            }
        }
        if let Some((reason, mode, took)) = early {
            self.end(|record| record.finish(core, at, reason, mode, took));
        }
    }

    /// Ends the record by `finish`, and takes the connection off the live ones.
    fn end(&self, finish: impl FnOnce(&mut State) -> bool) {
        if !self.with(finish) {
            return;
        }
        if let Some(book) = self.core.book.upgrade() {
            book.close(&self.connection);
        }
        if let Some(sink) = &self.core.sink {
            let (core, connection) = (Arc::clone(&self.core), Arc::clone(&self.connection));
            sink.connection(Box::new(move || core.connection_info(&connection)));
        }
    }

    fn error(&self, at: Instant, text: &str) {
        let core = &*self.core;
        self.with(|record| {
            let text = record.text(core, text, ERROR_BYTES);
            record.error(core, at, text);
        });
    }
}

impl State {
    fn ice(&mut self, core: &Core, at: Instant, state: IceConnectionState) {
        self.ice = state;
        if matches!(state, IceConnectionState::Connected | IceConnectionState::Completed)
            && self.setup.ice.is_none()
        {
            self.setup.ice = Some(at);
            if let [Some(local), Some(remote)] = self.setup.described {
                let time = at.saturating_duration_since(local.max(remote));
                core.counters.setup(Phase::Ice, true).observe(time);
            }
        }
        self.note(core, at, Happening::IceConnectionState(state));
    }

    fn gathering(&mut self, core: &Core, at: Instant, state: IceGatheringState) {
        if state == IceGatheringState::Complete
            && self.gathering != state
            && let Some(opened) = self.opened
        {
            let time = at.saturating_duration_since(opened);
            core.counters.setup(Phase::Gathering, true).observe(time);
        }
        self.gathering = state;
        self.note(core, at, Happening::IceGatheringState(state));
    }

    fn candidate_failed(&mut self, core: &Core, at: Instant, url: &str, code: u16, message: &str) {
        let message = self.text(core, &format!("{url}: {message}"), ERROR_BYTES);
        let errors = &mut self.session().candidate_errors;
        if errors.len() < core.limits.errors {
            errors.push((code, message.clone()));
        }
        self.note(core, at, Happening::CandidateFailed { code, message });
    }

    fn configured(&mut self, core: &Core, at: Instant, configuration: &Configuration) {
        let session = self.session();
        for credential in &configuration.credentials {
            session.secrets.add(credential);
        }
        session.relay_only = configuration.relay_only;
        let servers = configuration.ice_servers.iter().take(core.limits.candidates);
        session.servers =
            servers.map(|url| core.redactor.text(url, &session.secrets, NAME_BYTES)).collect();
        self.updated = at;
    }

    fn not_closed(&mut self, core: &Core, at: Instant, outcome: &Outcome, took: Duration) {
        core.counters.close(CloseEnd::of(outcome)).observe(took);
        if self.end.is_none() {
            if self.not_closed == 0 {
                core.counters.not_closed.add(1);
            }
            self.not_closed += 1;
        }
        let outcome = self.text(core, &outcome.to_string(), ERROR_BYTES);
        self.note(core, at, Happening::NotClosed(outcome));
    }
}

/// Folds what belongs to no peer: closes of unknown peers, of groups and of all; free tasks.
pub(super) struct SetFold {
    pub(super) core: Arc<Core>,
}

impl Observer for SetFold {
    fn on_event(&self, event: &Event<'_>) {
        let (core, at) = (&*self.core, event.at);
        core.counters.events.add(1);
        match event.kind {
            EventKind::TaskGroupCreated { group, .. } => core.tasks.add_group(None, group.clone()),
            EventKind::TaskStarted { task } => core.tasks.started(task),
            EventKind::TaskEnded { task, end } => core.tasks.ended(task, end),
            EventKind::OperationStarted { id, operation, target, .. } => {
                core.start_operation(id, operation, at, Subject::of_target(core, target));
            }
            EventKind::OperationEnded { id, operation, ref end, .. } => {
                let ending = RawEnd::of(end).clean(&core.redactor, Secrets::none());
                core.end_operation(id, operation, at, ending);
            }
            _ => {}
        }
    }

    fn for_peer(&self, peer: &PeerId, group: Option<&crate::GroupId>) -> Option<Arc<dyn Observer>> {
        let book = self.core.book.upgrade()?;
        let connection = book.expect(peer, group, Instant::now());
        Some(Arc::new(PeerFold { core: Arc::clone(&self.core), connection }))
    }
}
