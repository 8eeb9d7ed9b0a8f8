//! An HTTP server for the API, on any runtime.

mod io;
mod watch;

use std::fmt;
use std::io::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_lock::Semaphore;
use axum::Router;
use axum::body::Body;
use futures::FutureExt;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tower_service::Service;

use self::io::Io;
use self::watch::{Order, Watchdog, WatchedBody, Watching};
use super::api::Api;
use crate::runtime::{Clock, Runtime, StartError, tcp};
use crate::task::TaskGroup;

/// Options of [`Api::serve`]. Every option has a default.
///
/// ```
/// use std::time::Duration;
/// use anypeer::http::ServeOptions;
///
/// let options = ServeOptions::new().max_connections(200).write_timeout(Duration::from_secs(10));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServeOptions {
    runtime: Option<Runtime>,
    max_connections: usize,
    head_timeout: Duration,
    write_timeout: Duration,
}

impl ServeOptions {
    /// Returns the defaults. The server runs on the runtime that is
    /// [current](crate::runtime::current) when [`Api::serve`] is called, or on the background
    /// runtime if there is none, and has at most 1,024 connections. The head of a request may take
    /// 10 s to arrive, and a client may leave a response unread for 30 s.
    pub fn new() -> Self {
        Self {
            runtime: None,
            max_connections: 1024,
            head_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
        }
    }

    /// Sets the runtime that the server runs on.
    pub fn runtime(mut self, runtime: impl Into<Runtime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// Sets how many HTTP connections may exist at the same time, at least 1; 1,024 by default.
    /// Further connections wait to be accepted.
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit.max(1);
        self
    }

    /// Sets how long the head of a request may take to arrive, and how long a connection may stay
    /// idle between two requests; 10 s by default.
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.head_timeout = limit;
        self
    }

    /// Sets how long a client may leave a response unread before its connection is closed; 30 s by
    /// default.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The reason why the API could not be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The address can be reached from other machines, and no token is set.
    NeedsToken(SocketAddr),
    /// The listener could not be used.
    Listener(Error),
    /// A thread that the server needs could not be started.
    Start(StartError),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsToken(address) => {
                write!(f, "{address} can be reached from other machines, which requires a token")
            }
            Self::Listener(_) => f.write_str("the listener cannot be used"),
            Self::Start(_) => f.write_str("the server cannot be started"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NeedsToken(_) => None,
            Self::Listener(error) => Some(error),
            Self::Start(error) => Some(error),
        }
    }
}

impl From<StartError> for ServeError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl Api {
    /// Serves the routes of [`router`](Self::router) over HTTP/1.1, on any runtime, until the
    /// returned [`Serving`] is shut down or dropped.
    ///
    /// # Errors
    ///
    /// - [`ServeError::NeedsToken`] if the listener's address is not a loopback address and no
    ///   token is set.
    /// - [`ServeError::Listener`] if the listener cannot be used.
    /// - [`ServeError::Start`] if a thread that the server needs cannot be started.
    pub fn serve(
        &self,
        listener: TcpListener,
        options: ServeOptions,
    ) -> Result<Serving, ServeError> {
        let address = listener.local_addr().map_err(ServeError::Listener)?;
        if !address.ip().to_canonical().is_loopback() && !self.has_token() {
            return Err(ServeError::NeedsToken(address));
        }
        let runtime = options.runtime.map_or_else(Runtime::current_or_background, Ok)?;
        let listener = runtime.tcp_listener(listener).map_err(ServeError::Listener)?;
        let watchdog = Watchdog::new(options.head_timeout, options.write_timeout);
        let connections = TaskGroup::new(runtime.clone())?;
        let accepting = TaskGroup::new(runtime)?;
        let accept = Accept {
            listener,
            router: self.router(),
            connections: connections.clone(),
            room: Arc::new(Semaphore::new(options.max_connections)),
            watchdog: Arc::clone(&watchdog),
        };
        accepting.spawn("http accept", accept.run());
        accepting.spawn("http watch", watch(Arc::clone(&watchdog)));
        Ok(Serving { address, accepting, connections, watchdog })
    }
}

/// Checks all connections regularly, without end.
async fn watch(watchdog: Arc<Watchdog>) {
    loop {
        Clock::system().sleep(watchdog.interval()).await;
        watchdog.look();
    }
}

/// A handle to a running server, returned by [`Api::serve`]. **Dropping the handle ends the server
/// and its connections**; [`shutdown`](Self::shutdown) lets the requests in progress finish.
///
/// ```
/// use std::net::TcpListener;
/// use std::time::Duration;
/// # use anypeer::Peers;
/// # use anypeer::http::{Api, ServeOptions};
/// # use anypeer::monitor::Monitor;
///
/// # let monitor = Monitor::new()?;
/// # let peers = Peers::builder().monitor(&monitor).build();
/// # let api = Api::builder(&peers, &monitor).build()?;
/// let serving = api.serve(TcpListener::bind("127.0.0.1:0")?, ServeOptions::new())?;
/// println!("listening on {}", serving.local_addr());
///
/// # futures::executor::block_on(async {
/// let cut_off = serving.shutdown(Duration::from_secs(2)).await;
/// assert_eq!(cut_off, 0);
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it ends the server"]
pub struct Serving {
    address: SocketAddr,
    accepting: TaskGroup,
    connections: TaskGroup,
    watchdog: Arc<Watchdog>,
}

impl Serving {
    /// Returns the address that the server listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of HTTP connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Stops accepting connections, ends the streams of events, and waits until the requests in
    /// progress are finished, but no longer than `grace`. Returns the number of connections that
    /// were cut off.
    ///
    /// # Cancel safety
    ///
    /// The shutdown begins when this is called. If the future is dropped before it completes, the
    /// connections that are left are cut off.
    pub fn shutdown(self, grace: Duration) -> impl Future<Output = usize> + Send {
        self.accepting.cancel();
        self.watchdog.tell_all(Order::Finish);
        async move {
            let deadline = Clock::system().after(grace);
            let idle = async {
                self.accepting.idle().await;
                // A connection that was accepted after the first order has not received it.
                self.watchdog.tell_all(Order::Finish);
                self.connections.idle().await;
            };
            let _left = Clock::system().by(deadline, Box::pin(idle)).await;
            self.connections.len()
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.watchdog.tell_all(Order::End);
        self.connections.cancel();
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

/// How long to wait after a failed accept, for instance when no file descriptor is left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// The maximum size of a request head, and of the read and write buffers.
const BUFFER_BYTES: usize = 64 << 10;

/// The task that accepts connections.
struct Accept {
    listener: tcp::TcpListener,
    router: Router,
    connections: TaskGroup,
    /// A permit for each connection.
    room: Arc<Semaphore>,
    watchdog: Arc<Watchdog>,
}

impl Accept {
    async fn run(self) {
        loop {
            let room = self.room.acquire_arc().await;
            match self.listener.accept().await {
                Ok(stream) => {
                    let connection = serve(stream, self.router.clone(), self.watchdog.watch());
                    drop(self.connections.track(async move {
                        connection.await;
                        drop(room);
                    }));
                }
                Err(_) => Clock::system().sleep(ACCEPT_AGAIN).await,
            }
        }
    }
}

/// Serves one connection to its end. Errors are caused by the client, and are ignored.
fn serve(
    stream: tcp::TcpStream,
    router: Router,
    watching: Watching,
) -> impl Future<Output = ()> + Send {
    let watched = Arc::clone(&watching.watched);
    let service = service_fn(move |request: Request<Incoming>| {
        watched.asked();
        let watched = Arc::clone(&watched);
        // Most requests have no body. An empty one needs no allocation.
        let request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(body),
        });
        let answer = router.clone().call(request);
        answer.map(|answer| answer.map(|it| it.map(|body| WatchedBody::new(body, watched))))
    });
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        // Responses are short: copying is cheaper than writing from two buffers.
        .writev(false)
        .serve_connection(Io::new(stream, Arc::clone(&watching.watched)), service);
    async move {
        let mut connection = std::pin::pin!(connection);
        let mut finishing = false;
        std::future::poll_fn(|cx| {
            match watching.watched.order(cx) {
                Order::Serve => {}
                Order::Finish if finishing => {}
                Order::Finish => {
                    finishing = true;
                    connection.as_mut().graceful_shutdown();
                }
                Order::End => return Poll::Ready(()),
            }
            connection.as_mut().poll(cx).map(drop)
        })
        .await;
    }
}
