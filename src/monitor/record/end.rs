//! The end of a connection's record.

use std::time::{Duration, Instant};

use super::state::{End, State};
use crate::monitor::context::Context;
use crate::monitor::diagnosis::{Cause, Diagnosis, diagnose};
use crate::monitor::numbers::{CloseEnd, Phase};
use crate::monitor::options::ERROR_BYTES;
use crate::monitor::report::TimelineEvent;
use crate::peer::{CloseFailure, CloseMode, CloseReason, ForceCause, Outcome};
use crate::state::{ConnectionState, DataChannelState};

impl State {
    /// Ends the record, if it has not ended. Returns whether this call ended it. An end before the
    /// record was opened is kept until then.
    pub(crate) fn finish(
        &mut self,
        context: &Context,
        at: Instant,
        reason: CloseReason,
        mode: Option<CloseMode>,
        took: Option<Duration>,
    ) -> bool {
        let Some(opened) = self.opened else {
            self.early.get_or_insert((reason, mode, took));
            return false;
        };
        if self.end.is_some() {
            return false;
        }
        let mode = mode.map(|mode| self.clean_mode(context, mode));
        let counters = &context.counters;
        let end = match &mode {
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
        if self.stalled > 0 {
            counters.stalled.add(-1);
        }
        if self.setup.connected.is_none() && self.tells_state() {
            counters.setup(Phase::Total, false).observe(at.saturating_duration_since(opened));
        }
        // A connection that the remote side closed, or that had no time to connect, does not count
        // as a failure.
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
        self.end = Some(End { at, reason, mode, took, diagnosis });
        self.connection = ConnectionState::Closed;
        self.note(context, at, TimelineEvent::Closed(reason));
        true
    }

    /// Records that all memory of the connection is free.
    pub(crate) fn release(&mut self, context: &Context, at: Instant) {
        if self.released.is_none() {
            self.released = Some(at);
            if self.end.is_some() && self.tells_release() {
                context.counters.unreleased.add(-1);
            }
            self.note(context, at, TimelineEvent::Released);
        }
    }

    /// Removes secrets from the texts of a close mode.
    fn clean_mode(&self, context: &Context, mode: CloseMode) -> CloseMode {
        let clean = |text: String| String::from(self.text(context, &text, ERROR_BYTES));
        match mode {
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

    /// Records a close that did not end the connection.
    pub(crate) fn not_closed(
        &mut self,
        context: &Context,
        at: Instant,
        outcome: &Outcome,
        took: Duration,
    ) {
        context.counters.close(CloseEnd::of(outcome)).observe(took);
        if self.end.is_none() {
            if self.not_closed == 0 {
                context.counters.not_closed.add(1);
            }
            self.not_closed += 1;
        }
        let outcome = self.text(context, &outcome.to_string(), ERROR_BYTES);
        self.note(context, at, TimelineEvent::NotClosed(outcome));
    }
}
