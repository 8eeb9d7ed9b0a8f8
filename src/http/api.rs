//! `Api` and its builder, and the table of routes.

use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use async_lock::Semaphore;
use axum::Router;
use axum::http::Method;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::dashboard;
use super::edge::access::{Access, Token};
use super::edge::guard::Anybody;
use super::edge::long::LongAnswers;
use super::edge::problem::Problem;
use super::routes::{
    closed, connections, control, dump, events, openapi, operations, original, summary, tasks,
};
use super::shared::{ApiState, Shared};
use super::summary_cache::SummaryCache;
#[cfg(feature = "webrtc")]
use super::whip::options::SessionOptions;
#[cfg(feature = "webrtc")]
use super::whip::sessions::Sessions;
use crate::monitor::Monitor;
use crate::peer::Peers;
use crate::runtime::{Runtime, StartError};
use crate::task::CancellationToken;
use crate::wire::http::Modes;

/// Monitoring and control of the peers of one set over HTTP.
///
/// The routes can be mounted in a server that uses tower services, such as an axum server. Here the
/// dashboard is at `/peers/`:
///
/// ```
/// use anypeer::Peers;
/// use anypeer::http::Api;
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// let api = Api::builder(&peers, &monitor).token("secret").build()?;
/// let app = axum::Router::<()>::new().nest_service("/peers", api.router());
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
///
/// Alternatively, anypeer [serves](Self::serve) the routes itself, on any runtime:
///
/// ```
/// use std::net::TcpListener;
/// use anypeer::Peers;
/// use anypeer::http::{Api, ServeOptions};
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// let api = Api::builder(&peers, &monitor).build()?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let serving = api.serve(listener, ServeOptions::new())?;
/// println!("dashboard: http://{}/", serving.local_addr());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An `Api` holds handles to its [`Peers`] and to its [`Monitor`], so the set is not dropped before
/// the API. Clones share one state. When the last clone and the last router are dropped, the peers
/// of WHIP sessions are closed.
#[derive(Clone)]
pub struct Api {
    shared: Shared,
    optional: OptionalRoutes,
}

/// The optional routes.
#[derive(Clone, Copy)]
struct OptionalRoutes {
    test: bool,
    #[cfg(feature = "webrtc")]
    sessions: bool,
}

/// Configures an [`Api`]; see [`Api::builder`].
///
/// ```
/// use anypeer::Peers;
/// use anypeer::http::Api;
/// use anypeer::monitor::Monitor;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// let api = Api::builder(&peers, &monitor)
///     .token("secret") // Requests must contain this token.
///     .open_reads(true) // Only requests that change something, such as a close, need the token.
///     .host("peers.example.org") // The name of the server in the clients' URLs.
///     .build()?;
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct ApiBuilder {
    peers: Peers,
    monitor: Monitor,
    access: Access,
    debug: bool,
    test_routes: bool,
    event_clients: usize,
    #[cfg(feature = "webrtc")]
    sessions: Option<SessionOptions>,
}

/// The default number of clients that may follow the events at the same time. To change it, use
/// [`ApiBuilder::event_clients`].
pub const DEFAULT_EVENT_CLIENTS: usize = 256;

impl ApiBuilder {
    /// Requires this bearer token (RFC 6750) for every request, except for the files of the
    /// dashboard (which contain no data), `/health` and `/openapi.json`. An empty token is the same
    /// as no token.
    ///
    /// By default no token is required: everybody who can reach the routes can read everything and
    /// close the peers. [`Api::serve`] then accepts only a loopback address, but [`Api::router`]
    /// does not check the address of the server in which the routes are mounted.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.access.token = (!token.is_empty()).then(|| Token::new(token));
        self
    }

    /// Sets whether requests that only read need no token. By default they need the token, like
    /// requests that change something.
    pub fn open_reads(mut self, open: bool) -> Self {
        self.access.open_reads = open;
        self
    }

    /// Adds a host name or address by which clients reach this server, without a port. Requests
    /// for `localhost`, `127.0.0.1` and `[::1]` are answered in any case, with any port.
    ///
    /// A request for any other host gets status 421 on every route, including `/health`. This
    /// protects against DNS rebinding.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        // An IPv6 address is written in brackets, as in a URL.
        let is_bare = name.parse::<Ipv6Addr>().is_ok();
        self.access.hosts.push(if is_bare { format!("[{name}]") } else { name });
        self
    }

    /// Sets the value of the key `debug_mode` in the summary; false by default. The key exists for
    /// clients of the Python program that anypeer re-creates, and has no other effect.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Sets whether the routes `/webrtc/test/..` are added, which exist for clients of the Python
    /// program that anypeer re-creates. By default they are not added.
    pub fn test_routes(mut self, served: bool) -> Self {
        self.test_routes = served;
        self
    }

    /// Sets how many clients may follow the events at the same time; [`DEFAULT_EVENT_CLIENTS`] by
    /// default. A further client gets status 503.
    pub fn event_clients(mut self, limit: usize) -> Self {
        self.event_clients = limit;
        self
    }

    /// Accepts test sessions through WHIP (RFC 9725) at `/whip/{stream}`. By default there are
    /// none.
    ///
    /// Each session is a peer of the set, in the group `{stream}`. Data channels are echoed, and
    /// media is received and discarded.
    #[cfg(feature = "webrtc")]
    pub fn sessions(mut self, options: SessionOptions) -> Self {
        self.sessions = Some(options);
        self
    }

    /// Builds the API.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread that timers need cannot be started.
    pub fn build(self) -> Result<Api, StartError> {
        Runtime::background()?;
        let modes = Modes { debug: self.debug, logging: self.monitor.is_logged() };
        let optional = OptionalRoutes {
            test: self.test_routes,
            #[cfg(feature = "webrtc")]
            sessions: self.sessions.is_some(),
        };
        let (_, document) = every_route(optional).split_for_parts();
        let document = openapi::document_text(document, &self.access);
        let shared = Shared::new(ApiState {
            #[cfg(feature = "webrtc")]
            sessions: self.sessions.map(|options| Sessions::new(&self.peers, options)),
            monitor: self.monitor,
            peers: self.peers,
            access: self.access,
            modes,
            summary: SummaryCache::default(),
            long: LongAnswers::new(),
            followers: Arc::new(Semaphore::new(self.event_clients)),
            ending: CancellationToken::new(),
            document,
        });
        Ok(Api { shared, optional })
    }
}

impl Api {
    /// Returns a builder for an API that shows what `monitor` has recorded, and closes the peers of
    /// `peers`. Attach the monitor to the set, with
    /// [`PeersBuilder::monitor`](crate::peer::PeersBuilder::monitor).
    pub fn builder(peers: &Peers, monitor: &Monitor) -> ApiBuilder {
        ApiBuilder {
            peers: peers.clone(),
            monitor: monitor.clone(),
            access: Access::default(),
            debug: false,
            test_routes: false,
            event_clients: DEFAULT_EVENT_CLIENTS,
            #[cfg(feature = "webrtc")]
            sessions: None,
        }
    }

    /// Returns all routes: the dashboard at `/`, `/health`, `/metrics`, `/openapi.json`, the routes
    /// under `/webrtc/`, and those under `/whip/` if sessions are accepted.
    ///
    /// The routes can be served alone, or mounted in another server with [`Router::nest_service`]
    /// under a path without parameters. If they are mounted under `/ops`, the dashboard is at
    /// `/ops` and at `/ops/`. (With [`Router::nest`], requests for `/ops/` do not reach these
    /// routes.) Links, `Location` headers and the OpenAPI document contain the path under which the
    /// routes are mounted.
    pub fn router(&self) -> Router {
        let unknown =
            |_: Anybody<Shared>| async { Problem::not_found("There is nothing at this path") };
        with_method_fallback(every_route(self.optional))
            .fallback(unknown)
            .with_state(self.shared.clone())
    }

    /// Returns only the routes under `/webrtc/`, for [`Router::merge`] into a server that has a
    /// `/`, `/health` or `/metrics` of its own.
    pub fn monitor_router(&self) -> Router {
        with_method_fallback(webrtc_routes(self.optional)).with_state(self.shared.clone())
    }

    /// Ends all streams of events, which otherwise do not end. Streams that are requested later end
    /// immediately.
    ///
    /// If your own server serves the routes, call this when that server shuts down and waits for
    /// its connections to end. [`Serving::shutdown`](super::Serving::shutdown) ends the streams of
    /// a server of [`serve`](Self::serve).
    pub fn end_streams(&self) {
        self.shared.ending.cancel();
    }

    /// Whether requests need a token.
    pub(super) fn has_token(&self) -> bool {
        self.shared.access.token.is_some()
    }
}

/// All routes.
fn every_route(optional: OptionalRoutes) -> OpenApiRouter<Shared> {
    let routes = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(dashboard::page))
        .routes(routes!(summary::health))
        .routes(routes!(summary::metrics))
        .routes(routes!(openapi::document))
        .merge(dashboard::assets().into())
        .merge(webrtc_routes(optional));
    #[cfg(feature = "webrtc")]
    let routes =
        if optional.sessions { routes.merge(super::whip::routes::routes()) } else { routes };
    routes
}

/// The routes under `/webrtc/`.
fn webrtc_routes(optional: OptionalRoutes) -> OpenApiRouter<Shared> {
    let routes = OpenApiRouter::new()
        .routes(routes!(summary::summary))
        .routes(routes!(connections::connections))
        .routes(routes!(connections::connection))
        .routes(routes!(connections::connection_stats))
        .routes(routes!(connections::connection_diagnosis))
        .routes(routes!(closed::closed))
        .routes(routes!(closed::closed_connection))
        .routes(routes!(closed::closed_connection_stats))
        .routes(routes!(closed::closed_connection_diagnosis))
        .routes(routes!(operations::operations))
        .routes(routes!(operations::operation))
        .routes(routes!(tasks::tasks))
        .routes(routes!(dump::dump))
        .routes(routes!(events::events))
        .routes(routes!(control::close))
        .routes(routes!(control::delete_connection))
        .routes(routes!(control::delete_connection_by_query))
        .routes(routes!(control::close_all))
        .routes(routes!(control::stop));
    if optional.test { routes.merge(original::routes()) } else { routes }
}

/// The routes, with a problem document where only the method is not supported.
fn with_method_fallback(routes: OpenApiRouter<Shared>) -> Router<Shared> {
    let other = |_: Anybody<Shared>, method: Method| async move {
        Problem::method(format!("This path does not support {method}"))
    };
    Router::from(routes).method_not_allowed_fallback(other)
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("access", &self.shared.access).finish_non_exhaustive()
    }
}
