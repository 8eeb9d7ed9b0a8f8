//! The decorator of the application's handler.
//!
//! `webrtc` awaits callbacks inline, on the driver: a panic in one kills the driver, and a slow
//! one holds it. The decorator records states, catches panics, knows which callback is running
//! and on which thread, tells exactly one Closed, and lets go of the application's handler at the
//! end: so a handler that holds its own peer is no leak once that is closed, and a data channel
//! that is kept keeps no handler.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use ::webrtc::data_channel::DataChannel;
use ::webrtc::media_stream::track_remote::TrackRemote;
use ::webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    RTCSignalingState,
};

use super::census::{Counted, HANDLERS};
use super::connection::Link;
use crate::event::Event;
use crate::peer::Status;
use crate::runtime::{JoinError, panicked};
use crate::state::ConnectionState;
use crate::sync::Mutex;

thread_local! {
    /// The address of the decorator whose callback this thread is polling, or 0.
    static POLLING: Cell<usize> = const { Cell::new(0) };
}

pub(super) struct Handler {
    user: Mutex<Option<Arc<User>>>,
    state: Mutex<ConnectionState>,
    running: Mutex<Option<Running>>,
    status: Arc<Status>,
    link: Arc<Link>,
}

/// A callback's future.
type Called<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The application's handler.
struct User {
    handler: Arc<dyn PeerConnectionEventHandler>,
    _counted: Counted,
}

/// A callback in progress.
#[derive(Clone, Copy)]
struct Running {
    callback: &'static str,
    since: Instant,
}

impl Handler {
    pub(super) fn new(
        handler: Arc<dyn PeerConnectionEventHandler>,
        status: Arc<Status>,
        link: Arc<Link>,
    ) -> Arc<Self> {
        let user = User { handler, _counted: HANDLERS.count() };
        Arc::new(Self {
            user: Mutex::new(Some(Arc::new(user))),
            state: Mutex::new(ConnectionState::New),
            running: Mutex::new(None),
            status,
            link,
        })
    }

    pub(super) fn state(&self) -> ConnectionState {
        *self.state.lock()
    }

    /// The callback that is in progress, and for how long.
    pub(super) fn running(&self) -> Option<(&'static str, Duration)> {
        self.running.lock().map(|Running { callback, since }| (callback, since.elapsed()))
    }

    /// Whether this thread is inside one of the callbacks.
    pub(super) fn is_polled_here(&self) -> bool {
        POLLING.with(Cell::get) == self.address()
    }

    /// Tells the application's handler its one Closed, and lets go of it.
    pub(super) async fn release(&self) {
        *self.state.lock() = ConnectionState::Closed;
        let user = self.user.lock().take();
        if let Some(user) = user {
            self.call(user, "on_connection_state_change", |user| {
                user.on_connection_state_change(RTCPeerConnectionState::Closed)
            })
            .await;
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    async fn tell<F>(&self, callback: &'static str, call: F)
    where
        F: for<'a> FnOnce(&'a dyn PeerConnectionEventHandler) -> Called<'a> + Send,
    {
        let user = self.user.lock().clone();
        if let Some(user) = user {
            self.call(user, callback, call).await;
        }
    }

    async fn call<F>(&self, user: Arc<User>, callback: &'static str, call: F)
    where
        F: for<'a> FnOnce(&'a dyn PeerConnectionEventHandler) -> Called<'a> + Send,
    {
        let _running = RunningGuard::start(self, callback);
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
            let (peer, message) = (&self.status.id, message.as_str());
            self.status.watch.tell(|| Event::HandlerPanicked { peer, callback, message });
        }
    }
}

/// Says which callback is in progress, until dropped.
struct RunningGuard<'a>(&'a Handler);

impl<'a> RunningGuard<'a> {
    fn start(handler: &'a Handler, callback: &'static str) -> Self {
        *handler.running.lock() = Some(Running { callback, since: Instant::now() });
        Self(handler)
    }
}

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        *self.0.running.lock() = None;
    }
}

/// Says that this thread is inside a callback, until dropped.
struct Polling {
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

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.tell("on_negotiation_needed", |user| user.on_negotiation_needed()).await;
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        self.tell("on_ice_candidate", |user| user.on_ice_candidate(event)).await;
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        self.tell("on_ice_candidate_error", |user| user.on_ice_candidate_error(event)).await;
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        self.tell("on_signaling_state_change", |user| user.on_signaling_state_change(state)).await;
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.tell("on_ice_connection_state_change", |user| {
            user.on_ice_connection_state_change(state)
        })
        .await;
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.tell("on_ice_gathering_state_change", |user| {
            user.on_ice_gathering_state_change(state)
        })
        .await;
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let Some(known) = open_state(state) else {
            // `webrtc` says Closed before the driver has ended, and in one close of 500.
            return;
        };
        {
            let mut state = self.state.lock();
            // A callback that was stuck may return to a driver that does not know that it is over.
            if *state == ConnectionState::Closed {
                return;
            }
            *state = known;
        }
        let peer = &self.status.id;
        self.status.watch.tell(|| Event::StateChanged { peer, state: known });
        self.tell("on_connection_state_change", |user| user.on_connection_state_change(state))
            .await;
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.link.add_channel(&channel).await;
        self.tell("on_data_channel", |user| user.on_data_channel(channel)).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tell("on_track", |user| user.on_track(track)).await;
    }
}

/// `webrtc`'s state in our terms; `None` for Closed, which is ours to tell.
fn open_state(state: RTCPeerConnectionState) -> Option<ConnectionState> {
    match state {
        RTCPeerConnectionState::Unspecified | RTCPeerConnectionState::New => {
            Some(ConnectionState::New)
        }
        RTCPeerConnectionState::Connecting => Some(ConnectionState::Connecting),
        RTCPeerConnectionState::Connected => Some(ConnectionState::Connected),
        RTCPeerConnectionState::Disconnected => Some(ConnectionState::Disconnected),
        RTCPeerConnectionState::Failed => Some(ConnectionState::Failed),
        RTCPeerConnectionState::Closed => None,
        // The enum is open. A state that is none of W3C's leaves the connection where it was.
        _ => None,
    }
}
