//! Connections of the `webrtc` crate, as [`Connection`]s.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use ::webrtc::data_channel::DataChannel;
use ::webrtc::peer_connection::PeerConnection;

use super::adaptor::Adaptor;
use super::driver::{Driver, DriverEnd, Killed};
use super::goodbye::Goodbye;
use super::handler::Handler;
use super::stats::{self, RemoteCandidates};
use super::transport::{is_closed, transport};
use crate::candidate::Side;
use crate::event::Event;
use crate::peer::{
    Closure, Connection, ConnectionError, EndNotice, ForceCause, Holder, Holders, ReleaseNotice,
    Status,
};
use crate::runtime::{BoxFuture, time};
use crate::state::ConnectionState;
use crate::stats::StatsReport;
use crate::sync::Mutex;

/// The reference to a `PeerConnection`, until it is closed; and the traces of it after that.
#[derive(Default)]
pub(super) struct Link {
    connection: Mutex<Linked>,
    /// Alive as long as the connection's core is, whatever handle keeps it.
    core: OnceLock<Weak<Adaptor>>,
    channels: Mutex<Vec<Channel>>,
    remotes: RemoteCandidates,
}

#[derive(Default)]
enum Linked {
    #[default]
    Building,
    Built(Arc<dyn PeerConnection>),
    Released(Option<Weak<dyn PeerConnection>>),
}

struct Channel {
    label: String,
    channel: Weak<dyn DataChannel>,
}

impl Link {
    pub(super) fn built(connection: Arc<dyn PeerConnection>) -> Self {
        Self { connection: Mutex::new(Linked::Built(connection)), ..Self::default() }
    }

    pub(super) fn set_core(&self, core: Weak<Adaptor>) {
        // Set once, where both are made.
        let _set = self.core.set(core);
    }

    /// Completes the link; gives the connection back if it was closed meanwhile.
    pub(super) fn build(
        &self,
        connection: Arc<dyn PeerConnection>,
    ) -> Result<(), Arc<dyn PeerConnection>> {
        let mut linked = self.connection.lock();
        match *linked {
            Linked::Building => {
                *linked = Linked::Built(connection);
                Ok(())
            }
            Linked::Built(_) | Linked::Released(_) => Err(connection),
        }
    }

    pub(super) fn get(&self) -> Option<Arc<dyn PeerConnection>> {
        match &*self.connection.lock() {
            Linked::Built(connection) => Some(Arc::clone(connection)),
            Linked::Building | Linked::Released(_) => None,
        }
    }

    /// Keeps the notice with the connection's memory, if that is ours to see.
    fn watch_release(&self, notice: ReleaseNotice) -> bool {
        match self.core.get().and_then(Weak::upgrade) {
            Some(core) => {
                core.watch_release(notice);
                true
            }
            None => {
                notice.defuse();
                false
            }
        }
    }

    /// Lets go of the connection.
    fn release(&self) {
        let mut linked = self.connection.lock();
        let weak = match &*linked {
            Linked::Building => None,
            Linked::Built(connection) => Some(Arc::downgrade(connection)),
            Linked::Released(_) => return,
        };
        let released = std::mem::replace(&mut *linked, Linked::Released(weak));
        drop(linked);
        drop(released);
    }

    /// What the connection knows of itself now.
    pub(super) async fn stats(&self) -> Option<StatsReport> {
        let connection = self.get()?;
        Some(stats::read(&*connection, &self.remotes).await)
    }

    /// Whether the DTLS transport is known to be closed.
    pub(super) async fn is_dtls_closed(&self) -> bool {
        let Some(connection) = self.get() else { return false };
        match transport(&*connection).await {
            Some(transport) => is_closed(&transport).await,
            None => false,
        }
    }

    /// Remembers a channel by its label, weakly; tells that `side` has made it.
    pub(super) async fn add_channel(
        &self,
        channel: &Arc<dyn DataChannel>,
        side: Side,
        Status { id: peer, watch, .. }: &Status,
    ) {
        let label = channel.label().await.unwrap_or_default();
        watch.tell(|| Event::ChannelAdded { peer, side, id: channel.id() as u64, label: &label });
        let mut channels = self.channels.lock();
        channels.retain(|known| known.channel.strong_count() > 0);
        channels.push(Channel { label, channel: Arc::downgrade(channel) });
    }
}

impl Holders for Link {
    fn holders(&self) -> Vec<Holder> {
        let mut holders = Vec::new();
        if let Linked::Released(Some(connection)) = &*self.connection.lock()
            && connection.strong_count() > 0
        {
            holders.push(Holder::Connection(connection.strong_count()));
        }
        let channels = self.channels.lock();
        let held = channels.iter().filter(|known| known.channel.strong_count() > 0);
        holders.extend(held.map(|known| Holder::DataChannel(known.label.clone())));
        if holders.is_empty() && self.core.get().is_some_and(|core| core.strong_count() > 0) {
            holders.push(Holder::Handle);
        }
        holders
    }
}

/// How long a poll that holds a killed driver is waited for. One that takes longer is a callback
/// that blocks its thread: the sockets are gone then, and the driver goes when it returns. It is
/// the one case in which a connection is called closed while its driver is not dropped yet.
const HELD: Duration = Duration::from_millis(100);

/// A connection whose runtime and handler are ours: its end is seen.
pub(super) struct Instrumented {
    pub(super) link: Arc<Link>,
    pub(super) driver: Arc<Driver>,
    pub(super) handler: Arc<Handler>,
    pub(super) goodbye: Goodbye,
}

impl Connection for Instrumented {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<Closure>, ConnectionError>> {
        Box::pin(async move {
            let Some(connection) = self.link.get() else {
                self.link.release();
                self.driver.kill();
                self.driver.ended().await;
                return Ok(Some(Closure::Forced(ForceCause::NotBuilt)));
            };
            if let Some(end) = self.driver.end() {
                return Ok(Some(Closure::Forced(end.cause())));
            }
            // Its Ok means nothing; the driver's end does.
            connection.close().await?;
            drop(connection);
            match self.driver.ended().await {
                DriverEnd::Finished => Ok(Some(Closure::Graceful)),
                // Whoever killed it knows why, and says so.
                DriverEnd::Killed => std::future::pending().await,
                end => Ok(Some(Closure::Forced(end.cause()))),
            }
        })
    }

    fn is_cooperative(&self) -> bool {
        true
    }

    fn abort(self: Arc<Self>) -> BoxFuture<Option<ForceCause>> {
        Box::pin(async move {
            let running = self.handler.running();
            // Before it goes with its driver.
            self.handler.tell_stalled();
            let mut end = match self.driver.kill() {
                Killed::Gone(end) => Some(end),
                Killed::Held => None,
            };
            if end.is_none() {
                let ended = pin!(self.driver.ended());
                end = time::by(time::after(Instant::now(), HELD), ended).await;
            }
            Some(match (end, running) {
                (Some(DriverEnd::Killed) | None, Some(callback)) => {
                    ForceCause::HandlerStalled(callback)
                }
                (Some(end), _) => end.cause(),
                (None, None) => ForceCause::Unresponsive,
            })
        })
    }

    fn release(self: Arc<Self>) -> BoxFuture {
        Box::pin(async move {
            self.link.release();
            self.handler.release().await;
        })
    }

    fn watch_end(&self, notice: EndNotice) {
        self.driver.watch_end(notice);
    }

    fn state(&self) -> Option<ConnectionState> {
        Some(self.handler.state().0)
    }

    fn state_since(&self) -> Option<Instant> {
        Some(self.handler.state().1)
    }

    fn remote_closed(self: Arc<Self>) -> BoxFuture<bool> {
        Box::pin(async move {
            let Some(connection) = self.link.get() else { return false };
            let (state, _) = self.handler.state();
            self.goodbye.was_said(&*connection, state).await
        })
    }

    fn sockets(&self) -> Vec<SocketAddr> {
        self.driver.sockets.open()
    }

    fn stats(self: Arc<Self>) -> BoxFuture<Option<StatsReport>> {
        Box::pin(async move { self.link.stats().await })
    }

    fn watch_release(&self, notice: ReleaseNotice) -> bool {
        self.link.watch_release(notice)
    }

    fn in_own_handler(&self) -> bool {
        self.handler.is_polled_here()
    }

    fn holders(&self) -> Option<Arc<dyn Holders>> {
        Some(Arc::clone(&self.link) as Arc<dyn Holders>)
    }
}

/// A connection that was built without us: it can be asked to close, and not be seen to.
pub(super) struct Opaque {
    pub(super) link: Arc<Link>,
}

impl Connection for Opaque {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<Closure>, ConnectionError>> {
        Box::pin(async move {
            if let Some(connection) = self.link.get() {
                connection.close().await?;
            }
            Ok(None)
        })
    }

    fn release(self: Arc<Self>) -> BoxFuture {
        self.link.release();
        Box::pin(std::future::ready(()))
    }

    fn stats(self: Arc<Self>) -> BoxFuture<Option<StatsReport>> {
        Box::pin(async move { self.link.stats().await })
    }

    fn holders(&self) -> Option<Arc<dyn Holders>> {
        Some(Arc::clone(&self.link) as Arc<dyn Holders>)
    }
}
