//! [`Connection`], implemented for connections of the `webrtc` crate.

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

/// How long an abort waits for a poll that holds a killed driver.
///
/// A poll that takes longer is inside a callback that blocks its thread. The sockets are gone then,
/// and the driver is dropped when the callback returns. This is the only case in which a connection
/// is reported as closed before its driver was dropped.
const HELD: Duration = Duration::from_millis(100);

/// A connection that was built with the runtime and the handler of this crate, so that its end can
/// be observed.
pub(super) struct Instrumented {
    pub(super) link: Arc<Link>,
    pub(super) driver: Arc<Driver>,
    pub(super) handler: Arc<Handler>,
    goodbye: Goodbye,
    /// Whether the connection was asked to close gracefully.
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
            // If `webrtc` returns `Ok`, the connection may still be open. It has ended when its
            // driver has ended.
            connection.close().await.map_err(ConnectionError::new)?;
            drop(connection);
            match self.driver.ended().await {
                DriverEnd::Finished => Ok(Some(CloseMode::Graceful)),
                // The abort that killed the driver reports the mode, so this future need not
                // complete.
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
                // A stalled callback is reported before the kill, which drops the callback together
                // with the driver.
                self.handler.tell_stalled();
            }
            let end = match self.driver.kill() {
                // The driver has ended gracefully, and the close had no time to observe that.
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
                // A callback that was running during a graceful close has delayed the close, so the
                // callback is the cause, however short it is. Without a graceful close, a callback
                // is the cause only if it does not release the driver.
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

/// A connection that was built without this crate. It can be asked to close, but its end cannot be
/// observed.
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
