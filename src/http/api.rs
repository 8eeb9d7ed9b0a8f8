//! The builder, and the table of routes.

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

/// A monitor, and control of the peers that it watches, over HTTP.
///
/// The API holds handles to the [`Peers`] and to the [`Monitor`]. Its clones share one state.
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use anypeer::http::Api;
/// use anypeer::monitor::Monitor;
/// use anypeer::Peers;
///
/// let monitor = Monitor::new()?;
/// let peers = Peers::builder().monitor(&monitor).build();
/// let api = Api::builder(&peers, &monitor).token("secret").build()?;
/// let app = axum::Router::<()>::new().nest_service("/peers", api.router());
/// // Or merge what cannot clash with other routes:
/// let app = app.merge(api.monitor_router());
/// # }
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
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

/// Configures an [`Api`].
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

/// How many clients may follow the events at once, unless another number is set.
pub const DEFAULT_EVENT_CLIENTS: usize = 256;

impl ApiBuilder {
    /// Requires this bearer token (RFC 6750) for every request except for the dashboard's shell,
    /// `/health` and `/openapi.json`. An empty token is the same as none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.access.token = (!token.is_empty()).then(|| Token::new(token));
        self
    }

    /// Whether to require the token only for requests that change something. By default it is
    /// required for all.
    pub fn open_reads(mut self, open: bool) -> Self {
        self.access.open_reads = open;
        self
    }

    /// Also answers to this host name or address, given without a port. By default the API answers
    /// to `localhost`, `127.0.0.1` and `[::1]`, with any port. A request for any other host gets
    /// status 421 on every route, also on `/health`: this is the protection against DNS rebinding.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        // An IPv6 address is written in brackets, as in a URL.
        let is_bare = name.parse::<Ipv6Addr>().is_ok();
        self.access.hosts.push(if is_bare { format!("[{name}]") } else { name });
        self
    }

    /// Reports in the summary that the host runs in its debug mode. Nothing else depends on this.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Whether to add the Python original's test routes, `/webrtc/test/..`. By default not.
    pub fn test_routes(mut self, served: bool) -> Self {
        self.test_routes = served;
        self
    }

    /// Sets how many clients may follow the events at once. A further client gets status 503.
    pub fn event_clients(mut self, limit: usize) -> Self {
        self.event_clients = limit;
        self
    }

    /// Accepts sessions through WHIP (RFC 9725) at `/whip/{stream}`.
    #[cfg(feature = "webrtc")]
    pub fn sessions(mut self, options: SessionOptions) -> Self {
        self.sessions = Some(options);
        self
    }

    /// Builds the API.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the thread that its timers need could not be started.
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
    /// Configures an API over `peers`, which `monitor` watches.
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

    /// Every route: the dashboard at `/`, `/health`, `/metrics`, `/openapi.json`, what is under
    /// `/webrtc/`, and `/whip/` if sessions are accepted.
    ///
    /// The routes can be served alone, or mounted in another server by [`Router::nest_service`] under a
    /// path without parameters. Under `/ops`, the dashboard is then at `/ops` and at `/ops/`;
    /// [`Router::nest`] would leave `/ops/` to the other server. Links, `Location` headers and the
    /// OpenAPI document name the path that the routes are mounted under.
    pub fn router(&self) -> Router {
        let unknown =
            |_: Anybody<Shared>| async { Problem::not_found("There is nothing at this path") };
        with_method_fallback(every_route(self.optional))
            .fallback(unknown)
            .with_state(self.shared.clone())
    }

    /// Only the routes under `/webrtc/`, to be merged into a server that has its own.
    pub fn monitor_router(&self) -> Router {
        with_method_fallback(webrtc_routes(self.optional)).with_state(self.shared.clone())
    }

    /// Ends every stream of events, now and for good: streams that are asked for later end at once.
    /// A server that waits for its connections to end can then stop. [`Serving`](super::Serving) ends
    /// its own streams by itself.
    pub fn end_streams(&self) {
        self.shared.ending.cancel();
    }

    /// Whether requests need a token.
    pub(super) fn has_token(&self) -> bool {
        self.shared.access.token.is_some()
    }
}

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
