//! The decorator of the application's handler.
//!
//! `webrtc` awaits callbacks inside the driver, so a callback that panics would end the driver, and
//! a slow callback holds it. The decorator
//!
//! - records the states of the connection and reports events,
//! - catches panics of callbacks,
//! - knows which callback is running, and on which thread,
//! - calls `on_connection_state_change` with Closed exactly once, and
//! - drops the application's handler at the end. So a handler that holds its own peer is no leak
//!   once that peer is closed, and a data channel that the application keeps does not keep the
//!   handler.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use ::webrtc::data_channel::DataChannel;
use ::webrtc::media_stream::track_remote::TrackRemote;
use ::webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    RTCSignalingState,
};

use super::convert;
use super::descriptions::Descriptions;
use super::link::Link;
use super::live_objects::{Counted, HANDLERS};
use crate::candidate::Side;
use crate::event::EventKind;
use crate::peer::{Due, StateNotice, Status};
use crate::runtime::clock::after;
use crate::runtime::{Clock, JoinError, Runtime, panicked};
use crate::state::ConnectionState;
use crate::sync::{Mutex, OnceLock};

thread_local! {
    /// The address of the decorator whose callback this thread is polling, or 0.
    static POLLING: Cell<usize> = const { Cell::new(0) };
}

/// The decorator, which `webrtc` has for the handler of the connection.
pub(super) struct Handler {
    /// The application's handler, until the connection has ended.
    user: Mutex<Option<Arc<User>>>,
    /// The state of the connection, and the instant at which it began.
    state: Mutex<(ConnectionState, Instant)>,
    /// Called when a state has changed.
    notice: OnceLock<StateNotice>,
    running: Arc<Callbacks>,
    status: Arc<Status>,
    link: Arc<Link>,
    seen: Descriptions,
}

/// The future of a callback.
type Called<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The application's handler.
struct User {
    handler: Arc<dyn PeerConnectionEventHandler>,
    _counted: Counted,
}

/// The caller of the application's handler. Each caller has at most one callback in progress.
#[derive(Clone, Copy)]
enum Caller {
    /// The driver of the connection.
    Driver,
    /// The release at the end of the connection, which may run while the driver is stuck in a
    /// callback.
    Release,
}

/// The callbacks in progress.
struct Callbacks {
    /// The callback of each [`Caller`].
    running: Mutex<[Option<Running>; 2]>,
    budget: Duration,
    status: Arc<Status>,
}

/// A callback in progress.
#[derive(Clone, Copy)]
struct Running {
    callback: &'static str,
    since: Instant,
    /// Whether the callback was reported as stalled.
    told: bool,
}

impl Callbacks {
    /// Reports each callback that has taken `so_long` or longer as stalled, once for each callback.
    fn tell_stalled(&self, so_long: Duration) {
        let now = self.status.clock().now();
        let stalled = self.running.lock().each_mut().map(|running| {
            let running = running.as_mut()?;
            let held = now.saturating_duration_since(running.since);
            let stalled = held >= so_long && !running.told;
            running.told |= stalled;
            stalled.then_some((running.callback, held))
        });
        for (callback, held) in stalled.into_iter().flatten() {
            self.status.tell(|| EventKind::HandlerStalled { callback, held });
        }
    }

    /// Sets the alarm for the end of the next budget, or clears it.
    fn watch_budget(self: &Arc<Self>) {
        let running = self.running.lock();
        let untold = running.iter().flatten().filter(|running| !running.told);
        // The alarm is set and cleared while `running` is locked, so that it always belongs to the
        // callbacks in progress.
        match untold.map(|running| running.since).min() {
            Some(since) => {
                let spent = Waker::from(Arc::clone(self));
                self.status.alarm.set(Due::Budget, after(since, self.budget), spent);
            }
            None => self.status.alarm.clear(Due::Budget),
        }
    }
}

/// The waker for the end of a budget. It is woken also if the callback blocks its thread.
impl Wake for Callbacks {
    fn wake(self: Arc<Self>) {
        // Observers are foreign code, which must not block the timers' thread.
        drop(Runtime::spawn_background(async move {
            self.tell_stalled(self.budget);
            self.watch_budget();
        }));
    }
}

impl Handler {
    pub(super) fn new(
        handler: Arc<dyn PeerConnectionEventHandler>,
        status: Arc<Status>,
        link: Arc<Link>,
        budget: Duration,
    ) -> Arc<Self> {
        let (running, watched) = (Mutex::default(), Arc::clone(&status));
        let running = Arc::new(Callbacks { running, budget, status: watched });
        let since = status.clock().now();
        let user = User { handler, _counted: HANDLERS.count() };
        Arc::new(Self {
            user: Mutex::new(Some(Arc::new(user))),
            state: Mutex::new((ConnectionState::New, since)),
            notice: OnceLock::new(),
            running,
            status,
            link,
            seen: Descriptions::default(),
        })
    }

    /// The state of the connection, and the instant at which it began.
    pub(super) fn state(&self) -> (ConnectionState, Instant) {
        *self.state.lock()
    }

    /// The clock of the peer's runtime.
    pub(super) fn clock(&self) -> &Clock {
        self.status.clock()
    }

    /// Keeps the notice, which is called at each change of a state.
    pub(super) fn watch_state(&self, notice: StateNotice) {
        // The cell is still empty, since a connection is registered only once.
        let _first = self.notice.set(notice);
    }

    /// Notifies the peer that a state has changed.
    fn note_change(&self) {
        if let Some(notice) = self.notice.get() {
            notice.changed();
        }
    }

    /// The name of the callback that the driver is running.
    pub(super) fn running(&self) -> Option<&'static str> {
        self.running.running.lock()[Caller::Driver as usize].map(|running| running.callback)
    }

    /// Reports the callbacks in progress as stalled, whatever their budget, if they were not
    /// reported yet.
    pub(super) fn tell_stalled(&self) {
        self.running.tell_stalled(Duration::ZERO);
    }

    /// Whether the calling thread is inside a callback of this handler.
    pub(super) fn is_polled_here(&self) -> bool {
        POLLING.with(Cell::get) == self.address()
    }

    /// Calls the application's handler with Closed, once, and drops the handler.
    pub(super) async fn release(&self) {
        *self.state.lock() = (ConnectionState::Closed, self.clock().now());
        let user = self.user.lock().take();
        if let Some(user) = user {
            self.call(Caller::Release, user, "on_connection_state_change", |user| {
                user.on_connection_state_change(RTCPeerConnectionState::Closed)
            })
            .await;
        }
    }

    /// The address of the decorator, which identifies it on its thread.
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Reports the configuration of the connection, if it was not reported yet.
    pub(super) async fn look_at_configuration(&self) {
        self.seen.look_at_configuration(&self.status, &self.link).await;
    }

    /// Stores and reports a state of the connection, and takes statistics for the observers.
    async fn note_connection_state(&self, known: ConnectionState) {
        {
            let mut state = self.state.lock();
            // A callback that blocked may return after the end of the connection, and the driver
            // then runs on until its poll returns.
            if state.0 == ConnectionState::Closed {
                return;
            }
            *state = (known, self.clock().now());
        }
        self.note_change();
        self.status.tell(|| EventKind::ConnectionStateChanged { state: known });
        if self.status.watch.is_attached()
            && known != ConnectionState::Connecting
            && let Some(report) = &self.link.stats().await
        {
            self.status.tell(|| EventKind::Stats { report });
        }
    }

    /// Runs a callback for the driver, unless the handler was dropped already.
    async fn tell<F>(&self, callback: &'static str, call: F)
    where
        F: for<'a> FnOnce(&'a dyn PeerConnectionEventHandler) -> Called<'a> + Send,
    {
        let user = self.user.lock().clone();
        if let Some(user) = user {
            self.call(Caller::Driver, user, callback, call).await;
        }
    }

    /// Runs a callback: records it as running, and catches and reports its panic.
    async fn call<F>(&self, caller: Caller, user: Arc<User>, callback: &'static str, call: F)
    where
        F: for<'a> FnOnce(&'a dyn PeerConnectionEventHandler) -> Called<'a> + Send,
    {
        let _running = RunningGuard::start(self, caller, callback);
        let mut call = call(&*user.handler);
        let result = std::future::poll_fn(|cx| {
            let _polling = Polling::start(self.address());
            match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(poll) => poll.map(Ok),
                Err(payload) => Poll::Ready(Err(panicked(payload))),
            }
        })
        .await;
        if let Err(JoinError::Panicked(message)) = result {
            let message = message.as_str();
            self.status.tell(|| EventKind::HandlerPanicked { callback, message });
        }
    }
}

/// Records a callback as running, until dropped.
struct RunningGuard<'a> {
    callbacks: &'a Arc<Callbacks>,
    caller: Caller,
    /// Whether the budget of the callback is watched, which it is only if there are observers.
    is_watched: bool,
}

impl<'a> RunningGuard<'a> {
    fn start(handler: &'a Handler, caller: Caller, callback: &'static str) -> Self {
        let (status, running) = (&handler.status, &handler.running);
        let since = status.clock().now();
        running.running.lock()[caller as usize] = Some(Running { callback, since, told: false });
        let is_watched = status.watch.is_attached();
        if is_watched {
            running.watch_budget();
        }
        Self { callbacks: running, caller, is_watched }
    }
}

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        let returned = self.callbacks.running.lock()[self.caller as usize].take();
        let status = &self.callbacks.status;
        if self.is_watched {
            self.callbacks.watch_budget();
        }
        if let Some(Running { callback, since, .. }) = returned.filter(|returned| returned.told) {
            let held = status.clock().since(since);
            status.tell(|| EventKind::HandlerReturned { callback, held });
        }
    }
}

/// Marks this thread as inside a callback, until dropped.
struct Polling {
    /// The mark that the thread had before.
    outer: usize,
}

impl Polling {
    fn start(address: usize) -> Self {
        Self { outer: POLLING.replace(address) }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLING.set(self.outer);
    }
}

/// Events are reported before the application's callback is called. Where an event needs data of
/// the connection, reading the data takes the connection's lock for some microseconds.
#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.status.tell(|| EventKind::NegotiationNeeded);
        self.tell("on_negotiation_needed", |user| user.on_negotiation_needed()).await;
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Some(candidate) = &convert::candidate(&event.candidate) {
            self.status.tell(|| EventKind::CandidateAdded { side: Side::Local, candidate });
        }
        self.tell("on_ice_candidate", |user| user.on_ice_candidate(event)).await;
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        let (url, code, message) =
            (event.url.as_str(), event.error_code, event.error_text.as_str());
        self.status.tell(|| EventKind::CandidateFailed { url, code, message });
        self.tell("on_ice_candidate_error", |user| user.on_ice_candidate_error(event)).await;
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        if let Some(state) = convert::signaling_state(state) {
            self.status.tell(|| EventKind::SignalingStateChanged { state });
            self.seen.look(state, &self.status, &self.link).await;
        }
        self.tell("on_signaling_state_change", |user| user.on_signaling_state_change(state)).await;
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        if let Some(state) = convert::ice_connection_state(state) {
            self.status.tell(|| EventKind::IceConnectionStateChanged { state });
        }
        self.tell("on_ice_connection_state_change", |user| {
            user.on_ice_connection_state_change(state)
        })
        .await;
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if let Some(state) = convert::ice_gathering_state(state) {
            self.note_change();
            self.status.tell(|| EventKind::IceGatheringStateChanged { state });
        }
        self.tell("on_ice_gathering_state_change", |user| {
            user.on_ice_gathering_state_change(state)
        })
        .await;
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let Some(known) = convert::connection_state(state) else { return };
        // `webrtc` also reports Connected, wrongly, if DTLS is closed before its handshake has
        // ended.
        let is_true = known != ConnectionState::Connected || !self.link.is_dtls_closed().await;
        if is_true {
            self.note_connection_state(known).await;
        }
        self.tell("on_connection_state_change", |user| user.on_connection_state_change(state))
            .await;
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.link.add_channel(&channel, Side::Remote, &self.status).await;
        self.tell("on_data_channel", |user| user.on_data_channel(channel)).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if self.status.watch.is_attached() {
            let (id, kind) = (&track.track_id().await, convert::media_kind(track.kind().await));
            self.status.tell(|| EventKind::TrackAdded { side: Side::Remote, id, kind });
        }
        self.tell("on_track", |user| user.on_track(track)).await;
    }
}
