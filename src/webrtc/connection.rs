//! Connections of the `webrtc` crate, as [`Connection`]s.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::driver::{Driver, DriverEnd, Killed};
use super::goodbye::Goodbye;
use super::handler::Handler;
use super::link::Link;
use crate::peer::{
    CloseMode, Connection, ConnectionError, EndNotice, ForceCause, ReleaseNotice, Retention,
    StateNotice,
};
use crate::runtime::BoxFuture;
use crate::state::ConnectionState;
use crate::stats::StatsReport;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How long a poll that holds a killed driver is waited for. One that takes longer is a callback
/// that blocks its thread: the sockets are gone then, and the driver goes when it returns. It is
/// the one case in which a connection is called closed while its driver is not dropped yet.
const HELD: Duration = Duration::from_millis(100);

/// A connection whose runtime and handler are ours: its end is seen.
pub(super) struct Instrumented {
    pub(super) link: Arc<Link>,
    pub(super) driver: Arc<Driver>,
    pub(super) handler: Arc<Handler>,
    goodbye: Goodbye,
    /// Whether it was asked to close.
    closing: AtomicBool,
}

impl Instrumented {
    pub(super) fn new(link: Arc<Link>, driver: Arc<Driver>, handler: Arc<Handler>) -> Self {
        let (goodbye, closing) = (Goodbye::default(), AtomicBool::new(false));
        Self { link, driver, handler, goodbye, closing }
    }
}

impl Connection for Instrumented {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(async move {
            let Some(connection) = self.link.get() else {
                self.link.release();
                self.driver.kill();
                self.driver.ended().await;
                return Ok(Some(CloseMode::Forced(ForceCause::NotBuilt)));
            };
            if let Some(end) = self.driver.end() {
                return Ok(Some(end.into()));
            }
            self.closing.store(true, Ordering::Release);
            // Its Ok means nothing; the driver's end does.
            connection.close().await.map_err(ConnectionError::new)?;
            drop(connection);
            match self.driver.ended().await {
                DriverEnd::Finished => Ok(Some(CloseMode::Graceful)),
                // Whoever killed it knows why, and says so.
                DriverEnd::Killed => std::future::pending().await,
                end => Ok(Some(end.into())),
            }
        })
    }

    fn is_cooperative(&self) -> bool {
        true
    }

    fn abort(self: Arc<Self>) -> BoxFuture<Option<CloseMode>> {
        Box::pin(async move {
            let running = self.handler.running();
            let closing = self.closing.load(Ordering::Acquire);
            if closing {
                // Before it goes with its driver.
                self.handler.tell_stalled();
            }
            let end = match self.driver.kill() {
                // The close's own end, which it had no time to see.
                Killed::Gone(DriverEnd::Finished) if closing => return Some(CloseMode::Graceful),
                Killed::Gone(DriverEnd::Killed) => Some(DriverEnd::Killed),
                Killed::Gone(end) => return Some(end.into()),
                Killed::Held => {
                    let (ended, clock) = (pin!(self.driver.ended()), self.handler.clock());
                    clock.by(clock.after(HELD), ended).await
                }
            };
            if end.is_none() {
                self.handler.tell_stalled();
            }
            Some(match (end, running) {
                (Some(end @ (DriverEnd::Panicked | DriverEnd::Lost)), _) => end.into(),
                // A callback that keeps a close from its end is stalled, however short it is; any
                // other is only where it does not let go of the driver.
                (end, Some(callback)) if closing || end.is_none() => {
                    CloseMode::Forced(ForceCause::HandlerStalled(callback))
                }
                _ => CloseMode::Forced(ForceCause::Unresponsive),
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

    fn watch_state(&self, notice: StateNotice) {
        self.handler.watch_state(notice);
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

    fn retention(&self) -> Option<Arc<dyn Retention>> {
        Some(Arc::clone(&self.link) as Arc<dyn Retention>)
    }
}

/// A connection that was built without us: it can be asked to close, and not be seen to.
pub(super) struct Opaque {
    pub(super) link: Arc<Link>,
}

impl Connection for Opaque {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(async move {
            if let Some(connection) = self.link.get() {
                connection.close().await.map_err(ConnectionError::new)?;
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

    fn retention(&self) -> Option<Arc<dyn Retention>> {
        Some(Arc::clone(&self.link) as Arc<dyn Retention>)
    }
}
