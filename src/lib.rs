//! Owns, closes and watches WebRTC peer connections, from synchronous or asynchronous code, on any
//! executor.
//!
//! - [`Peers`] is a set of connections that are closed together. A [`Peer`] owns one connection of
//!   the set, and dropping the last owner closes the connection.
//! - A close ([`Peer::close`], [`Peers::close`], [`Peers::close_all`]) starts at once, in any
//!   thread and context, and returns a handle. Await the handle, [`wait`](Closing::wait) on it with
//!   a timeout, or drop it: the close goes on. Every close ends in one [`Outcome`], which reports
//!   only what was observed.
//! - The module [`webrtc`] opens connections of the `webrtc` crate. Connections of other stacks
//!   implement the trait [`peer::Connection`].
//! - The module [`task`] supervises tasks. A close of a peer ends the peer's tasks.
//! - The module [`runtime`] spawns tasks on the executor of the host.
//! - An [`Observer`] receives every [`Event`].
//!
//! # Quick start
//!
//! ```
//! # #[cfg(all(feature = "webrtc", feature = "smol"))] {
//! use std::sync::Arc;
//! use anypeer::peer::CloseMode;
//! use anypeer::runtime::SmolSpawner;
//! use anypeer::webrtc::peer_connection::{
//!     PeerConnectionBuilder, PeerConnectionEventHandler, SettingEngineBuilder,
//! };
//! use anypeer::webrtc::{self, MulticastDnsMode};
//! use anypeer::{Outcome, PeerOptions, Peers};
//!
//! struct Handler;
//! impl PeerConnectionEventHandler for Handler {}
//!
//! smol::block_on(async {
//!     let peers = Peers::builder().runtime(SmolSpawner::new()).build();
//!     // By default, a peer also opens a socket for mDNS, on UDP port 5353.
//!     let settings = SettingEngineBuilder::new()
//!         .with_multicast_dns_mode(MulticastDnsMode::Disabled)
//!         .build();
//!     let builder = PeerConnectionBuilder::new()
//!         .with_setting_engine(settings)
//!         .with_udp_addrs(vec!["127.0.0.1:0"]);
//!     let options = PeerOptions::new().group("room 1");
//!     let peer = webrtc::open(&peers, builder, |_peer| Arc::new(Handler), options).await?;
//!     assert_eq!(peer.close().await, Outcome::Closed(CloseMode::Graceful));
//!     Ok::<(), webrtc::OpenError>(())
//! })
//! # .unwrap() }
//! ```
//!
//! # A session from its offer to its end
//!
//! With trickle ICE, a server answers an offer immediately, sends each of its own candidates as
//! soon as it is gathered, and adds the candidates of the remote side as they arrive:
//!
//! ```no_run
//! # #[cfg(feature = "webrtc")] {
//! use std::sync::Arc;
//! use anypeer::webrtc::peer_connection::{
//!     PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
//!     RTCPeerConnectionIceEvent, RTCSessionDescription,
//! };
//! use anypeer::webrtc::{self, Candidates, WeakPeer, async_trait};
//! use anypeer::{PeerOptions, Peers};
//!
//! /// The way to the remote side, a WebSocket for instance.
//! #[derive(Clone)]
//! struct Signalling;
//!
//! impl Signalling {
//!     async fn send_answer(&self, _sdp: String) { /* .. */ }
//!     async fn send_candidate(&self, _candidate: RTCIceCandidateInit) { /* .. */ }
//!     async fn next_candidate(&self) -> Option<RTCIceCandidateInit> { None /* .. */ }
//! }
//!
//! struct Handler {
//!     peer: WeakPeer,
//!     signalling: Signalling,
//! }
//!
//! #[async_trait]
//! impl PeerConnectionEventHandler for Handler {
//!     async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
//!         let (Some(peer), Ok(candidate)) = (self.peer.upgrade(), event.candidate.to_json()) else {
//!             return;
//!         };
//!         let signalling = self.signalling.clone();
//!         // Nothing is sent or received until a callback returns, so slow work is a task.
//!         peer.tasks().spawn("send a candidate", async move {
//!             signalling.send_candidate(candidate).await;
//!         });
//!     }
//! }
//!
//! async fn session(
//!     peers: &Peers,
//!     signalling: Signalling,
//!     offer: String,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["0.0.0.0:0"]);
//!     let handler = |peer| Arc::new(Handler { peer, signalling: signalling.clone() }) as _;
//!     let peer = webrtc::open(peers, builder, handler, PeerOptions::new()).await?;
//!     let offer = RTCSessionDescription::offer(offer)?;
//!     let answer = webrtc::answer(&peer, offer, Candidates::Trickle).await?;
//!     signalling.send_answer(answer.sdp).await;
//!     while let Some(candidate) = signalling.next_candidate().await {
//!         peer.add_ice_candidate(candidate).await?;
//!     }
//!     peer.connected().await?;
//!     println!("{} is connected", peer.id());
//!     let outcome = peer.close().await;
//!     println!("{}: {outcome}", peer.id()); // "..: closed, graceful"
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # Features
//!
//! | Feature | Default | What it adds |
//! |---|---|---|
//! | `smol` | yes | `runtime::SmolSpawner` |
//! | `tokio` | | `runtime::TokioSpawner` |
//! | `async-std` | | `runtime::AsyncStdSpawner`; async-std is discontinued |
//! | `webrtc` | yes | the module `webrtc`, which needs `crypto-ring`, `crypto-aws-lc-rs` or a crypto provider of your own |
//! | `monitor` | | `monitor`: records, statistics, diagnosis and health of connections and tasks |
//! | `tracing` | | spans and events of the `tracing` crate, made from what the monitor records |
//! | `log` | | `log`: what the monitor records, as JSON Lines in files |
//! | `metrics` | | `metrics`: the monitor's numbers as OpenMetrics text |
//! | `dump` | | `dump`: connections in the formats of `chrome://webrtc-internals` and rtcstats |
//! | `http` | | `http`: all of this as HTTP routes, mounted in your server or served by anypeer |
//! | `cli` | | the program `anypeer` |
//! | `test-util` | | `test_util`: a guard that fails tests which leak peers, sockets or tasks, and a manual clock |
//! | `crypto-ring` | yes | the crypto provider ring for `webrtc` |
//! | `crypto-aws-lc-rs` | | the crypto provider aws-lc-rs for `webrtc` |
//!
//! Features only add items. No feature changes the meaning of another, and any combination
//! compiles.
//!
//! # Cancel safety
//!
//! Handles of closes and tasks are cancel safe: the work goes on without them. A cancelled
//! `webrtc::open` leaves no socket, driver or handler behind. The documentation of every other
//! async function says what happens when its future is dropped.
//!
//! # Panics
//!
//! No function of this crate panics on any input, in any thread or context; a panic is a bug. The
//! exception is `test_util`, which fails tests by panicking.
//!
//! Panics in the application's handlers, observers and connections are caught. A panic in a handler
//! is reported as [`EventKind::HandlerPanicked`]; a panic in a connection's close is reported in
//! the [`Outcome`].
//!
//! # Stability
//!
//! Before version 1.0, a minor version may change names. Enums and structs that may grow are
//! `#[non_exhaustive]`. Public items outside the module `webrtc` use no types of other crates, with
//! these exceptions: `tokio::runtime::Handle`, [`runtime::Executor`] and
//! [`runtime::StaticExecutor`] (of `async-executor`), from which spawners are made; `axum::Router`,
//! which `http` makes; and the trait `Stream` of the futures crate, which a monitor's updates
//! implement.

mod candidate;
mod close_options;
#[cfg(feature = "dump")]
pub mod dump;
mod event;
#[cfg(feature = "http")]
pub mod http;
mod id;
#[cfg(feature = "test-util")]
mod known;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "monitor")]
pub mod monitor;
mod named;
mod outcome;
pub mod peer;
mod probe;
#[cfg(feature = "monitor")]
mod redact;
pub mod runtime;
mod state;
pub mod stats;
mod sync;
pub mod task;
mod task_info;
#[cfg(feature = "test-util")]
pub mod test_util;
#[cfg(feature = "webrtc")]
pub mod webrtc;
#[cfg(any(feature = "dump", feature = "http", feature = "log"))]
mod wire;

pub use crate::candidate::{Candidate, CandidateType, ParseCandidateError, Protocol, Scope, Side};
pub use crate::event::{Configuration, Event, EventKind, Observer, OperationEnd, Sdp, Target};
pub use crate::id::{GroupId, InvalidId, MAX_ID_BYTES, OperationId, ParseOperationIdError, PeerId};
pub use crate::peer::{Closing, ClosingAll, Outcome, Peer, PeerOptions, Peers, WeakPeer};
pub use crate::state::{
    ConnectionState, DataChannelState, DtlsTransportState, IceConnectionState, IceGatheringState,
    SdpType, SignalingState,
};

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "http", feature = "tokio", feature = "webrtc"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the examples of the pages in `docs/`.
#[cfg(all(doctest, feature = "cli", feature = "test-util"))]
mod pages {
    #[doc = include_str!("../docs/from-python.md")]
    struct FromPython;
    #[doc = include_str!("../docs/guide.md")]
    struct Guide;
    #[doc = include_str!("../docs/http.md")]
    struct Http;
    #[doc = include_str!("../docs/operating.md")]
    struct Operating;
}
