//! The three ways to create a peer.

use std::fmt;
use std::net::ToSocketAddrs;
use std::sync::Arc;

use ::webrtc::error::Error;
use ::webrtc::peer_connection::crypto::CryptoError;
use ::webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
};
use ::webrtc::runtime::Runtime as WebrtcRuntime;

use super::adaptor::Adaptor;
use super::connection::{Instrumented, Opaque};
use super::driver::{Driver, DriverEnd};
use super::handler::Handler;
use super::link::Link;
use super::peer::{Peer, WeakPeer};
use crate::peer::{CloseReason, InsertError, PeerOptions, Peers};

/// Builds a connection, and adds it to `peers` as a new peer.
///
/// The returned [`Peer`] owns the connection. Keep the `Peer`, or [`detach`](Peer::detach) it, so
/// that the set owns the connection. Then call [`answer`](super::answer) or
/// [`offer`](super::offer) to negotiate the session.
///
/// `builder` needs an address to bind (`with_udp_addrs`). This function sets the builder's runtime,
/// handler and reactor pool, and changes nothing else in the builder.
///
/// By default the `webrtc` crate also joins mDNS, with one more socket on UDP port 5353 for each
/// connection, to resolve the `.local` candidates of browsers. On a host without multicast,
/// building the connection then fails. A `SettingEngine` with
/// [`MulticastDnsMode::Disabled`](super::MulticastDnsMode) needs no multicast, and discards the
/// `.local` candidates of the remote side.
///
/// The connection runs on the runtime in `options`, or else on that of `peers`, or else on the
/// [current](crate::runtime::current) runtime, or else on the background executor.
///
/// `handler` is called once, and creates the application's handler from a reference to the new
/// peer. **The callbacks of the handler run inside the connection's driver**: until a callback
/// returns, nothing is sent or received on the connection. The [module
/// page](crate::webrtc#callbacks) says what a callback must not do. Do work that takes time in a
/// task on [`peer.tasks()`](crate::Peer::tasks), which the close of the peer ends:
///
/// ```no_run
/// use std::sync::Arc;
/// use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
/// use anypeer::webrtc::peer_connection::{PeerConnectionBuilder, PeerConnectionEventHandler};
/// use anypeer::webrtc::{self, WeakPeer, async_trait};
/// use anypeer::{PeerOptions, Peers};
///
/// struct Echo {
///     peer: WeakPeer,
/// }
///
/// #[async_trait]
/// impl PeerConnectionEventHandler for Echo {
///     async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
///         let Some(peer) = self.peer.upgrade() else { return };
///         peer.tasks().spawn("echo", async move {
///             while let Some(event) = channel.poll().await {
///                 if let DataChannelEvent::OnMessage(message) = event {
///                     let _closed = channel.send(message.data).await;
///                 }
///             }
///         });
///     }
/// }
///
/// async fn open(peers: &Peers) -> Result<webrtc::Peer, webrtc::OpenError> {
///     let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
///     webrtc::open(peers, builder, |peer| Arc::new(Echo { peer }), PeerOptions::new()).await
/// }
/// ```
///
/// # Errors
///
/// Returns [`OpenError`] if the connection could not be opened. No socket, driver or handler is
/// left behind.
///
/// # Cancel safety
///
/// If the future is dropped, at any point, no socket, driver or handler is left behind.
pub async fn open<A>(
    peers: &Peers,
    builder: PeerConnectionBuilder<A>,
    handler: impl FnOnce(WeakPeer) -> Arc<dyn PeerConnectionEventHandler>,
    options: PeerOptions,
) -> Result<Peer, OpenError>
where
    A: ToSocketAddrs + Send + 'static,
{
    let instrument = instrument(peers, handler, options)?;
    let built = builder
        .with_runtime(instrument.runtime())
        .with_handler(instrument.handler())
        .with_dedicated_reactor_pool_size(1)
        .build()
        .await;
    match built {
        Ok(connection) => {
            let handler = Arc::clone(&instrument.connection.handler);
            let peer = instrument.adopt(Arc::new(connection))?;
            // The credentials must be known to redaction before an error can contain them.
            handler.look_at_configuration().await;
            Ok(peer)
        }
        Err(error) => {
            let error = match instrument.close_reason() {
                Some(reason) if reason != CloseReason::Ended => OpenError::Closed(reason),
                _ if is_no_provider(&error) => OpenError::NoCryptoProvider,
                _ if instrument.is_runtime_gone() => OpenError::RuntimeGone,
                _ => OpenError::Build(error),
            };
            instrument.discard().await;
            Err(error)
        }
    }
}

/// Prepares a peer for a connection that the application builds itself.
///
/// The peer is added to the set immediately: it counts towards the limits of the set, and a close
/// of all peers closes it too. `handler` creates the application's handler, as for [`open`]. Build
/// the connection with the runtime and the handler of the [`Instrument`], and pass it to
/// [`Instrument::adopt`]. The peer is then the same as one from [`open`]:
///
/// ```no_run
/// use std::sync::Arc;
/// use anypeer::webrtc::peer_connection::{PeerConnectionBuilder, PeerConnectionEventHandler};
/// use anypeer::{PeerOptions, Peers, webrtc};
///
/// struct Handler;
/// impl PeerConnectionEventHandler for Handler {}
///
/// async fn build(peers: &Peers) -> Result<webrtc::Peer, Box<dyn std::error::Error>> {
///     let instrument = webrtc::instrument(peers, |_peer| Arc::new(Handler), PeerOptions::new())?;
///     let connection = PeerConnectionBuilder::new()
///         .with_udp_addrs(vec!["127.0.0.1:0"])
///         .with_runtime(instrument.runtime())
///         .with_handler(instrument.handler())
///         .with_dedicated_reactor_pool_size(1)
///         .build()
///         .await?;
///     Ok(instrument.adopt(Arc::new(connection))?)
/// }
/// ```
///
/// # Errors
///
/// Returns [`OpenError::Insert`] if the peer could not be registered.
pub fn instrument(
    peers: &Peers,
    handler: impl FnOnce(WeakPeer) -> Arc<dyn PeerConnectionEventHandler>,
    options: PeerOptions,
) -> Result<Instrument, OpenError> {
    let reservation = peers.reserve(options)?;
    let status = Arc::clone(reservation.status());
    let (link, driver) = (Arc::new(Link::new(status.clock().clone())), Driver::new());
    let runtime = reservation.runtime().clone();
    let adaptor = Arc::new(Adaptor::new(runtime, Arc::clone(&driver), Arc::clone(&status)));
    link.set_core(Arc::downgrade(&adaptor));
    let handler = handler(WeakPeer::new(reservation.peer()));
    let budget = reservation.handler_budget();
    let handler = Handler::new(handler, status, Arc::clone(&link), budget);
    let connection = Arc::new(Instrumented::new(link, driver, handler));
    let peer = reservation.insert(Arc::clone(&connection) as Arc<dyn crate::peer::Connection>)?;
    Ok(Instrument { peer: Some(peer), connection, adaptor })
}

/// The runtime and the handler for one connection that the application builds itself. Because of
/// them, anypeer can observe the end of the connection. [`instrument`] creates this value, and has
/// an example.
///
/// Dropping an instrument without [`adopt`](Self::adopt) closes the connection that was built with
/// it.
#[must_use = "dropping an instrument closes the connection that was built with it"]
pub struct Instrument {
    /// `None` once the connection was adopted.
    peer: Option<crate::Peer>,
    connection: Arc<Instrumented>,
    adaptor: Arc<Adaptor>,
}

impl Instrument {
    /// The runtime for `PeerConnectionBuilder::with_runtime`.
    ///
    /// Use this runtime for one connection only: a second connection would be cut off when the
    /// first one ends, and its own end would not be observed.
    ///
    /// Also call `with_dedicated_reactor_pool_size(1)` on the builder. If you then drop the
    /// connection before [`adopt`](Self::adopt), its driver ends. Otherwise, the driver would run
    /// until the instrument is dropped.
    #[must_use]
    pub fn runtime(&self) -> Arc<dyn WebrtcRuntime> {
        Arc::clone(&self.adaptor) as Arc<dyn WebrtcRuntime>
    }

    /// The handler for `PeerConnectionBuilder::with_handler`, which calls the application's
    /// handler.
    #[must_use]
    pub fn handler(&self) -> Arc<dyn PeerConnectionEventHandler> {
        Arc::clone(&self.connection.handler) as Arc<dyn PeerConnectionEventHandler>
    }

    /// Takes the connection that was built with this instrument, and returns its peer.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::Closed`] if the peer was closed in the meantime, and
    /// [`OpenError::NotInstrumented`] if nothing was built with [`runtime`](Self::runtime). In both
    /// cases the peer is closed.
    pub fn adopt(mut self, connection: Arc<dyn PeerConnection>) -> Result<Peer, OpenError> {
        if !self.connection.driver.is_installed() {
            return Err(OpenError::NotInstrumented);
        }
        let built = self.connection.link.build(connection).is_ok();
        let reason = self.close_reason();
        match self.peer.take_if(|_| built && reason.is_none()) {
            Some(peer) => Ok(Peer::new(peer, Arc::clone(&self.connection.link))),
            None => Err(OpenError::Closed(reason.unwrap_or(CloseReason::Ended))),
        }
    }

    /// Closes the peer, and waits for the close.
    async fn discard(mut self) {
        if let Some(peer) = self.peer.take() {
            let closing = peer.close_for(CloseReason::OpenCancelled);
            self.connection.driver.kill();
            closing.await;
        }
    }

    /// Whether the executor has refused or dropped the driver.
    fn is_runtime_gone(&self) -> bool {
        self.connection.driver.end() == Some(DriverEnd::Lost)
    }

    /// Why the peer is closing or closed, if it is.
    fn close_reason(&self) -> Option<CloseReason> {
        self.peer.as_ref().and_then(crate::Peer::closing_for)
    }
}

impl Drop for Instrument {
    fn drop(&mut self) {
        if let Some(peer) = self.peer.take() {
            drop(peer.close_for(CloseReason::OpenCancelled));
            // The close runs in the background. The driver is killed here, so that nothing of a
            // cancelled `open` is left when this drop returns.
            self.connection.driver.kill();
        }
    }
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrument").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Adds a connection that was built without anypeer to `peers`.
///
/// anypeer can ask the connection to close, but can neither force the close nor observe its end:
///
/// - The outcome of a close is [`Outcome::Unconfirmed`](crate::Outcome::Unconfirmed) at best.
/// - The state of the connection is not known:
///   [`connection_state`](crate::Peer::connection_state) returns `None`, and
///   [`connected`](crate::Peer::connected) waits until the peer is closed, and then returns an
///   error.
/// - The reaper does not close the peer.
///
/// If the close of the connection has to run on the connection's own runtime, as on tokio, name
/// that runtime in `options`, unless it is the runtime of the set. (Calling this function inside
/// that runtime is enough only if the set has no runtime.)
///
/// ```no_run
/// use std::sync::Arc;
/// use anypeer::webrtc::peer_connection::PeerConnection;
/// use anypeer::{Outcome, PeerOptions, Peers, webrtc};
///
/// async fn hang_up(
///     peers: &Peers,
///     connection: Arc<dyn PeerConnection>,
/// ) -> Result<(), webrtc::OpenError> {
///     let peer = webrtc::adopt(peers, connection, PeerOptions::new())?;
///     // The connection was asked to close, and anypeer cannot know whether it has ended.
///     assert_eq!(peer.close().await, Outcome::Unconfirmed);
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Returns [`OpenError::Insert`] if the peer could not be registered. The connection is then
/// neither closed nor changed.
pub fn adopt(
    peers: &Peers,
    connection: Arc<dyn PeerConnection>,
    options: PeerOptions,
) -> Result<Peer, OpenError> {
    let reservation = peers.reserve(options)?;
    let link = Arc::new(Link::built(connection, reservation.status().clock().clone()));
    let peer = reservation.insert(Arc::new(Opaque { link: Arc::clone(&link) }))?;
    Ok(Peer::new(peer, link))
}

/// The reason why a peer could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer could not be registered, for this reason, which is also the
    /// [source](std::error::Error::source) of the error.
    Insert(InsertError),
    /// There is no crypto provider: enable this crate's feature `crypto-ring` or
    /// `crypto-aws-lc-rs`, or set a provider in the builder's `SettingEngine`.
    NoCryptoProvider,
    /// The executor of the connection was dropped, or is shutting down.
    RuntimeGone,
    /// The `webrtc` crate could not build the connection. The text of its error is in the
    /// [source](std::error::Error::source), which `{}` does not print, so print the chain of
    /// sources in logs.
    Build(Error),
    /// The peer was closed before its connection was built.
    Closed(CloseReason),
    /// The connection was not built with the instrument's runtime.
    NotInstrumented,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(_) => f.write_str("the peer could not be registered"),
            Self::NoCryptoProvider => f.write_str(
                "there is no crypto provider: enable anypeer's feature `crypto-ring` or \
                 `crypto-aws-lc-rs`, or set a provider in the SettingEngine",
            ),
            Self::RuntimeGone => f.write_str("the executor of the connection is gone"),
            Self::Build(_) => f.write_str("the connection could not be built"),
            Self::Closed(reason) => write!(f, "closed before it was built: {reason}"),
            Self::NotInstrumented => {
                f.write_str("the connection was not built with the instrument's runtime")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Insert(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::NoCryptoProvider
            | Self::RuntimeGone
            | Self::Closed(_)
            | Self::NotInstrumented => None,
        }
    }
}

/// Whether the error is the text in which `webrtc` wraps [`CryptoError::NoDefaultProvider`].
fn is_no_provider(error: &Error) -> bool {
    let missing = CryptoError::NoDefaultProvider.to_string();
    matches!(error, Error::Crypto(text) if text.ends_with(&missing))
}

impl From<InsertError> for OpenError {
    fn from(error: InsertError) -> Self {
        Self::Insert(error)
    }
}

#[cfg(all(test, not(any(feature = "crypto-ring", feature = "crypto-aws-lc-rs"))))]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Nothing;
    impl PeerConnectionEventHandler for Nothing {}

    #[test]
    fn a_missing_crypto_provider_is_named() {
        let opening = crate::runtime::run(async {
            let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
            open(&Peers::new(), builder, |_| Arc::new(Nothing), PeerOptions::new()).await.map(drop)
        });
        let opened = opening.unwrap().wait(Duration::from_secs(5)).unwrap().unwrap();
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::NoCryptoProvider), "{error:?}");
        assert!(error.to_string().contains("`crypto-ring` or `crypto-aws-lc-rs`"), "{error}");
    }
}
