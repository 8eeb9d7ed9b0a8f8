//! The implementation of `webrtc`'s runtime trait, for every backend.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle,
    Runtime as WebrtcRuntime,
};
use async_io::Async;
use futures::future::{AbortHandle, Abortable};

use super::alert::Alerts;
use super::driver::Driver;
use super::live_objects::TASKS;
use crate::peer::{ReleaseNotice, Status};
use crate::runtime::{BoxFuture, Clock, Runtime, wait};
use crate::sync::OnceLock;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one connection: the runtime of its peer, and the slot of its driver.
///
/// While the driver runs, the adaptor and the driver refer to each other through the connection's
/// core. The end of the driver breaks that cycle.
pub(super) struct Adaptor {
    runtime: Runtime,
    driver: Arc<Driver>,
    status: Arc<Status>,
    /// The adaptor lives as long as the connection's core, whichever handle keeps the core alive,
    /// so the notice is dropped with the connection's memory.
    release: OnceLock<ReleaseNotice>,
}

impl Adaptor {
    pub(super) fn new(runtime: Runtime, driver: Arc<Driver>, status: Arc<Status>) -> Self {
        Self { runtime, driver, status, release: OnceLock::new() }
    }

    /// Keeps the notice with the connection's memory.
    pub(super) fn watch_release(&self, notice: ReleaseNotice) {
        if let Err(second) = self.release.set(notice) {
            second.defuse();
        }
    }
}

impl WebrtcRuntime for Adaptor {
    /// Spawns a future of the connection. The first one is its driver. Further futures are helpers
    /// of the driver, and are aborted when the driver ends.
    fn spawn(&self, future: BoxFuture) -> Box<dyn JoinHandle> {
        let helper = match self.driver.install(future) {
            Ok(task) => {
                drop(self.runtime.spawn(task));
                None
            }
            Err(_refused) if self.driver.end().is_some() => None,
            Err(future) => {
                let (handle, registration) = AbortHandle::new_pair();
                let (task, counted) = (Abortable::new(future, registration), TASKS.count());
                drop(self.runtime.spawn(async move {
                    let _ended_or_aborted = task.await;
                    drop(counted);
                }));
                self.driver.add_helper(handle.clone());
                Some(handle)
            }
        };
        Box::new(Task { driver: Arc::clone(&self.driver), helper })
    }

    /// Spawns the driver on the host's executor, whatever the size of the pool. `webrtc` is
    /// configured with a pool of one thread only because a plain drop of such a connection tells
    /// its driver to end.
    fn spawn_reactor(&self, _pool_size: usize, future: BoxFuture) -> Box<dyn JoinHandle> {
        self.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let alerts = Alerts::of(&self.status);
        self.driver.sockets.udp(self.runtime.udp_socket(socket)?, alerts)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.driver.sockets.tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move {
            let stream = Async::<std::net::TcpStream>::connect(remote_addr).await?;
            self.driver.sockets.tcp_stream(stream)
        })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        Box::pin(blocking::unblock(move || host.to_socket_addrs().map(Iterator::collect)))
    }

    fn now(&self) -> Instant {
        self.status.clock().now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        self.runtime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        let (runtime, clock) = (self.runtime.clone(), self.status.clock().clone());
        Box::new(Interval { next: clock.now(), runtime, clock, period })
    }

    /// Blocks this thread on `future`. `webrtc` itself does not call this. Where blocking would
    /// starve an executor, this drops `future` and returns at once.
    fn block_on(&self, mut future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
        let _refused = wait(&mut future, FOR_EVER);
    }

    fn name(&self) -> &'static str {
        self.runtime.name()
    }
}

impl fmt::Debug for Adaptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptor").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// A handle to the driver, or to a helper of the driver.
struct Task {
    driver: Arc<Driver>,
    /// `None` for the driver.
    helper: Option<AbortHandle>,
}

impl JoinHandle for Task {
    fn detach(&self) {}

    /// Aborts a helper. An abort of the driver is ignored: `webrtc` aborts a driver that has not
    /// ended 100 ms after it was told to, but a close of this crate has a longer grace period, and
    /// forces the driver itself.
    fn abort(&self) {
        if let Some(helper) = &self.helper {
            helper.abort();
        }
    }

    fn is_finished(&self) -> bool {
        self.driver.end().is_some()
    }
}

/// The timer behind [`WebrtcRuntime::interval`].
struct Interval {
    runtime: Runtime,
    clock: Clock,
    period: Duration,
    next: Instant,
}

impl AsyncInterval for Interval {
    fn tick(&mut self) -> Boxed<'_, ()> {
        Box::pin(async move {
            self.runtime.sleep(self.next.saturating_duration_since(self.clock.now())).await;
            self.next += self.period;
        })
    }
}
