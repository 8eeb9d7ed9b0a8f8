//! Owns, closes and watches WebRTC peer connections, from synchronous or asynchronous code, under
//! whichever executor the host runs.
//!
//! - [`Peers`] is a set of connections that are closed together; [`Peer`] owns one of them, and
//!   dropping its last owner closes it.
//! - A close ([`Peer::close`], [`Peers::close`], [`Peers::close_all`], ..) starts at once, wherever
//!   it is called, and returns a handle: await it, [`wait`](Closing::wait) on it with a bound, or
//!   drop it and the close goes on. It ends in one [`Outcome`], which is always true.
//! - [`webrtc`] opens connections of the `webrtc` crate; [`peer::Connection`] is for any other.
//! - [`task`] supervises tasks, which a peer ends with itself.
//! - [`runtime`] spawns on the host's executor, whichever it is.
//! - An [`Observer`] is told every [`Event`].
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
//!     // By default a peer also joins mDNS, on UDP port 5353.
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
//! A server answers an offer at once, sends each of its candidates when it is gathered, and adds those
//! of the remote side when they come:
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
//!         // The connection stands still until a callback returns: what takes time is a task.
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
//! | `webrtc` | yes | the module `webrtc`, which needs `crypto-ring`, `crypto-aws-lc-rs` or a provider of one's own |
//! | `monitor` | | `monitor`, which watches |
//! | `tracing` | | spans and events of `tracing`, from what `monitor` sees |
//! | `log` | | `log`, what `monitor` sees as JSON Lines in files |
//! | `metrics` | | `metrics`, the numbers as OpenMetrics text |
//! | `dump` | | `dump`, connections as `chrome://webrtc-internals` and rtcstats know them |
//! | `http` | | `http`, all of it over HTTP, in any server or in one of its own |
//! | `cli` | | the program `anypeer` |
//! | `test-util` | | `test_util`, a guard that fails tests which leave something behind, and a clock that a test turns by hand |
//! | `crypto-ring` | yes | `webrtc` with ring |
//! | `crypto-aws-lc-rs` | | `webrtc` with aws-lc-rs |
//!
//! Features only add items. None changes the meaning of another, and any set of them compiles.
//!
//! # Cancel safety
//!
//! Handles of closes and tasks are cancel safe: the work goes on without them. A cancelled
//! `webrtc::open` leaves nothing. Every other async function says it itself.
//!
//! # Panics
//!
//! No function of this crate panics on any input, in any thread or context; a panic is a bug.
//! The guard in `test_util` fails tests, and that is a panic.
//! Panics of the application's own code (handlers, observers, connections) are caught, told and
//! survived.
//!
//! # Stability
//!
//! Before 1.0 a minor version may change names. Enums and structs that may grow are
//! `#[non_exhaustive]`. Types of other crates appear in `webrtc` alone, but for those that a spawner
//! is made from (`tokio::runtime::Handle`, and [`runtime::Executor`] and [`runtime::StaticExecutor`]
//! of `async-executor`), `axum::Router`, which `http` makes, and the trait `Stream` of futures, which
//! a monitor's updates implement.

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

/// The README's examples compile.
#[cfg(all(doctest, feature = "monitor", feature = "smol", feature = "tokio", feature = "webrtc"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the pages compile.
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
