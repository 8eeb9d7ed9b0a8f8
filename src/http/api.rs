//! The routes, and what they are made with.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::http::Method;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Access, Token};
use super::events::Clients;
use super::guard::Anybody;
use super::long::LongAnswers;
use super::problem::Problem;
use super::{control, dashboard, events, monitor, openapi, test_routes};
use crate::monitor::Monitor;
use crate::peer::Peers;
use crate::runtime::{Runtime, StartError};
use crate::task::CancellationToken;
use crate::wire::http::{Modes, SummaryText};

/// What all routes share.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

pub(super) struct Inner {
    pub(super) monitor: Monitor,
    pub(super) peers: Peers,
    pub(super) access: Access,
    pub(super) modes: Modes,
    pub(super) summary: SummaryText,
    pub(super) clients: Clients,
    pub(super) long: LongAnswers,
    /// Ends the streams of events.
    pub(super) ending: CancellationToken,
    #[cfg(feature = "webrtc")]
    pub(super) sessions: Option<super::whip::Sessions>,
    /// The description of all this, once there are routes.
    pub(super) document: OnceLock<String>,
    test_routes: bool,
}

impl Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What a monitor knows and what can be done to its peers, over HTTP.
///
/// It holds the [`Peers`] and the [`Monitor`] as handles. Clones are the same.
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
/// let app = axum::Router::<()>::new().nest("/peers", api.router()); // or merge what cannot clash:
/// let app = app.merge(api.monitor_router());
/// # }
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct Api {
    pub(super) shared: Shared,
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
    sessions: Option<super::SessionOptions>,
}

/// How many may follow the events at once, unless another number is set.
pub const DEFAULT_EVENT_CLIENTS: usize = 256;

impl ApiBuilder {
    /// Asks for this bearer token (RFC 6750) on every request but for the dashboard's shell,
    /// `/health` and `/openapi.json`. An empty one is none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.access.token = (!token.is_empty()).then(|| Token::new(token));
        self
    }

    /// Asks for the token only where something is changed.
    pub fn open_reads(mut self) -> Self {
        self.access.open_reads = true;
        self
    }

    /// Also answers to this host name or address, without a port. By default it answers to
    /// `localhost`, `127.0.0.1` and `[::1]`, with any port: a name that somebody else has pointed at
    /// this machine is refused (DNS rebinding).
    pub fn host(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        // As it stands in a URL.
        let is_bare = name.parse::<Ipv6Addr>().is_ok();
        self.access.hosts.push(if is_bare { format!("[{name}]") } else { name });
        self
    }

    /// Says in the summary that the host runs in its debug mode. Nothing else depends on it.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Has the Python original's test routes, too: `/webrtc/test/..`.
    pub fn test_routes(mut self) -> Self {
        self.test_routes = true;
        self
    }

    /// How many may follow the events at once; one more is answered with 503.
    pub fn event_clients(mut self, limit: usize) -> Self {
        self.event_clients = limit;
        self
    }

    /// Takes sessions through WHIP (RFC 9725) at `/whip/{stream}`.
    #[cfg(feature = "webrtc")]
    pub fn sessions(mut self, options: super::SessionOptions) -> Self {
        self.sessions = Some(options);
        self
    }

    /// The API.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the thread that its timers need could not be started.
    pub fn build(self) -> Result<Api, StartError> {
        Runtime::background()?;
        let modes = Modes { debug: self.debug, logging: self.monitor.is_logged() };
        Ok(Api {
            shared: Shared(Arc::new(Inner {
                #[cfg(feature = "webrtc")]
                sessions: self
                    .sessions
                    .map(|options| super::whip::Sessions::new(&self.peers, options)),
                monitor: self.monitor,
                peers: self.peers,
                access: self.access,
                modes,
                summary: SummaryText::default(),
                clients: Clients::new(self.event_clients),
                long: LongAnswers::new(),
                ending: CancellationToken::new(),
                document: OnceLock::new(),
                test_routes: self.test_routes,
            })),
        })
    }
}

impl Api {
    /// Over `peers`, which `monitor` watches.
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
    /// `/webrtc/`, and `/whip/` if sessions are taken. For a server of its own, or to be nested into
    /// another, under a path without parameters: its links are relative.
    pub fn router(&self) -> Router {
        let (routes, mut document) = finished(self.all_routes());
        openapi::complete(&mut document, &self.shared.access);
        // The same each time.
        self.shared.document.get_or_init(|| document.to_json().unwrap_or_default());
        let unknown = |_: Anybody| async { Problem::not_found("There is nothing at this path") };
        routes.fallback(unknown).with_state(self.shared.clone())
    }

    /// Only what is under `/webrtc/`: to be merged into a server that has its own routes.
    pub fn monitor_router(&self) -> Router {
        finished(self.webrtc_routes()).0.with_state(self.shared.clone())
    }

    /// Ends the streams of events for ever, and those that are asked for later, so that a server
    /// which waits for its connections can stop. [`Serving`](super::Serving) does it by itself.
    pub fn end_streams(&self) {
        self.shared.ending.cancel();
    }

    fn all_routes(&self) -> OpenApiRouter<Shared> {
        let routes = OpenApiRouter::with_openapi(openapi::base())
            .routes(routes!(dashboard::page))
            .routes(routes!(monitor::health))
            .routes(routes!(monitor::metrics))
            .routes(routes!(openapi::document))
            .merge(dashboard::assets().into())
            .merge(self.webrtc_routes());
        #[cfg(feature = "webrtc")]
        let routes = match self.shared.sessions {
            Some(_) => routes.merge(super::whip::routes()),
            None => routes,
        };
        routes
    }

    fn webrtc_routes(&self) -> OpenApiRouter<Shared> {
        let routes = OpenApiRouter::new()
            .routes(routes!(monitor::summary))
            .routes(routes!(monitor::connections))
            .routes(routes!(monitor::connection))
            .routes(routes!(monitor::connection_stats))
            .routes(routes!(monitor::connection_diagnosis))
            .routes(routes!(monitor::closed))
            .routes(routes!(monitor::operations))
            .routes(routes!(monitor::operation))
            .routes(routes!(monitor::tasks))
            .routes(routes!(monitor::dump))
            .routes(routes!(events::events))
            .routes(routes!(control::close))
            .routes(routes!(control::close_all))
            .routes(routes!(control::stop));
        if self.shared.test_routes { routes.merge(test_routes::routes()) } else { routes }
    }
}

/// The routes, also for where only the method is wrong, and their description.
fn finished(routes: OpenApiRouter<Shared>) -> (Router<Shared>, OpenApi) {
    let (routes, document) = routes.split_for_parts();
    let other = |_: Anybody, method: Method| async move {
        Problem::method(format!("{method} is not for this path"))
    };
    (routes.method_not_allowed_fallback(other), document)
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("access", &self.shared.access).finish_non_exhaustive()
    }
}
