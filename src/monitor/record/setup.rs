//! Records the states of a connection, and the durations of its setup.

use std::time::Instant;

use super::state::{EarlyEnd, State};
use crate::monitor::context::Context;
use crate::monitor::numbers::Phase;
use crate::monitor::report::TimelineEvent;
use crate::peer::Probe;
use crate::runtime::Clock;
use crate::state::{ConnectionState, IceConnectionState, IceGatheringState, SignalingState};

impl State {
    /// Opens the record. Returns the end, if the connection ended before.
    pub(crate) fn opened(
        &mut self,
        context: &Context,
        at: Instant,
        clock: Clock,
        probe: Probe,
    ) -> Option<EarlyEnd> {
        self.clock = clock;
        self.opened = Some(at);
        self.active = at;
        self.probe = Some(probe);
        context.counters.opened.add(1);
        context.counters.state(self.connection).add(1);
        context.counters.stalled.add(i64::from(self.stalled > 0));
        self.note(context, at, TimelineEvent::Opened);
        self.early.take()
    }

    /// Records a new connection state. After the end of the connection it is ignored, because the
    /// change was in progress on another thread.
    #[inline]
    pub(crate) fn connection_state(
        &mut self,
        context: &Context,
        at: Instant,
        state: ConnectionState,
    ) {
        if self.end.is_none() {
            self.set_connection(context, at, state);
            self.note(context, at, TimelineEvent::ConnectionState(state));
        }
    }

    #[inline]
    fn set_connection(&mut self, context: &Context, at: Instant, state: ConnectionState) {
        if self.opened.is_some() {
            context.counters.state(self.connection).add(-1);
            context.counters.state(state).add(1);
        }
        self.connection = state;
        if state != ConnectionState::Connected {
            return;
        }
        self.setup.connected_last = Some(at);
        if self.setup.connected.is_none() {
            self.setup.connected = Some(at);
            for (phase, since) in [(Phase::Total, self.opened), (Phase::Dtls, self.setup.ice)] {
                if let Some(since) = since {
                    let time = at.saturating_duration_since(since);
                    context.counters.setup(phase, true).observe(time);
                }
            }
        }
    }

    pub(crate) fn signaling_state(
        &mut self,
        context: &Context,
        at: Instant,
        state: SignalingState,
    ) {
        self.signaling = state;
        self.note(context, at, TimelineEvent::SignalingState(state));
    }

    pub(crate) fn ice_state(&mut self, context: &Context, at: Instant, state: IceConnectionState) {
        self.ice = state;
        if matches!(state, IceConnectionState::Connected | IceConnectionState::Completed)
            && self.setup.ice.is_none()
        {
            self.setup.ice = Some(at);
            if let [Some(local), Some(remote)] = self.setup.described {
                let time = at.saturating_duration_since(local.max(remote));
                context.counters.setup(Phase::Ice, true).observe(time);
            }
        }
        self.note(context, at, TimelineEvent::IceConnectionState(state));
    }

    pub(crate) fn gathering_state(
        &mut self,
        context: &Context,
        at: Instant,
        state: IceGatheringState,
    ) {
        if state == IceGatheringState::Complete
            && self.gathering != state
            && let Some(opened) = self.opened
        {
            let time = at.saturating_duration_since(opened);
            context.counters.setup(Phase::Gathering, true).observe(time);
        }
        self.gathering = state;
        self.note(context, at, TimelineEvent::IceGatheringState(state));
    }

    pub(crate) fn handler_stalled(
        &mut self,
        context: &Context,
        at: Instant,
        callback: &'static str,
    ) {
        self.count_stalled(context, 1);
        self.note(context, at, TimelineEvent::HandlerStalled(callback));
    }

    pub(crate) fn handler_returned(
        &mut self,
        context: &Context,
        at: Instant,
        callback: &'static str,
    ) {
        self.count_stalled(context, -1);
        self.note(context, at, TimelineEvent::HandlerReturned(callback));
    }

    /// Updates the number of callbacks that hold the driver.
    fn count_stalled(&mut self, context: &Context, more: i32) {
        let was = self.stalled > 0;
        self.stalled = self.stalled.saturating_add(more);
        if self.opened.is_some() && self.end.is_none() {
            context.counters.stalled.add(i64::from(self.stalled > 0) - i64::from(was));
        }
    }
}
