//! Owns, closes and watches WebRTC peer connections, from synchronous or asynchronous code, on any
//! executor.
//!
//! - [`Peers`] is a set of peers. A *peer* is a connection of this process, with an id, tasks and
//!   options; the other end of the connection is called the *remote side*. The set finds peers by
//!   id, and closes them by id, by group, or all at once.
//! - A [`Peer`] owns one connection. Its clones share the ownership, and dropping the last of them
//!   closes the connection.
//! - A close ([`Peer::close`], [`Peers::close`], [`Peers::close_all`]) starts at once, on any
//!   thread, in synchronous code, asynchronous code and destructors, and returns a handle. Await
//!   the handle, [`wait`](Closing::wait) on it with a timeout, or drop it: the close goes on in
//!   any case. The close of a peer has one [`Outcome`]. [`Outcome::Closed`] means that the end of
//!   the connection was observed.
//! - The module [`webrtc`] opens connections of the `webrtc` crate, version 0.21. For connections
//!   of another stack, implement the trait [`peer::Connection`].
//! - The module [`task`] supervises tasks. A close of a peer ends the peer's tasks.
//! - The module [`runtime`] spawns tasks on the executor of the application.
//! - An [`Observer`] receives every [`Event`]. The `Monitor` (feature `monitor`) is an observer
//!   that keeps the history of connections, and says why a connection failed.
//!
//! The *driver* of a connection is the task that sends and receives the connection's packets and
//! calls the application's handler.
//!
//! The repository contains a guide (`docs/guide.md`) and complete servers (`examples/`). This crate
//! requires Rust 1.91 or later.
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
//!     // By default, a connection also opens a socket for mDNS, on UDP port 5353.
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
//! With trickle ICE, a server answers an offer before it has gathered its candidates. It sends each
//! of its candidates when that candidate is gathered, and adds the candidates that the remote side
//! sends:
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
//!     /// Returns `None` when the remote side has sent all of its candidates.
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
//!         // The connection sends and receives nothing until this callback returns, so a task
//!         // sends the candidate.
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
//!     // The handler may already have sent candidates. The remote side has to queue them until
//!     // the answer arrives.
//!     signalling.send_answer(answer.sdp).await;
//!     while let Some(candidate) = signalling.next_candidate().await {
//!         if let Err(refused) = peer.add_ice_candidate(candidate).await {
//!             println!("{}: {refused}", peer.id()); // The other candidates may still do.
//!         }
//!     }
//!     peer.connected().await?;
//!     println!("{} is connected", peer.id());
//!     // .. the session ..
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
//! | `tokio` | | `runtime::TokioSpawner`. Peers on tokio use tokio's UDP sockets and timers. |
//! | `async-std` | | `runtime::AsyncStdSpawner`. The async-std crate is discontinued. |
//! | `webrtc` | yes | The module `webrtc`. It needs `crypto-ring`, `crypto-aws-lc-rs`, or a crypto provider of your own. |
//! | `crypto-ring` | yes | The crypto provider ring for `webrtc`. |
//! | `crypto-aws-lc-rs` | | The crypto provider aws-lc-rs for `webrtc`. |
//! | `monitor` | | The module `monitor`: records, statistics, diagnoses and health of connections and tasks. |
//! | `tracing` | | Spans and events of the `tracing` crate for what the monitor records. Includes `monitor`. |
//! | `log` | | The module `log`: what the monitor records, as JSON Lines in files. Includes `monitor`. |
//! | `metrics` | | The module `metrics`: the monitor's numbers as OpenMetrics text. Includes `monitor`. |
//! | `dump` | | The module `dump`: connections in the formats of `chrome://webrtc-internals` and rtcstats. Includes `monitor`. |
//! | `http` | | The module `http`: a REST API, live events and a dashboard. Includes `monitor`, `metrics` and `dump`. |
//! | `cli` | | The program `anypeer`, with all runtimes. |
//! | `test-util` | | The module `test_util`: a guard that fails tests which leak peers, sockets or tasks, and a manual clock. |
//!
//! Features are additive: no feature changes what another one does, and every combination compiles.
//! anypeer detects a runtime only if the runtime's feature is enabled. Without the feature,
//! [`runtime::current`] does not return the runtime, and `wait` on a handle does not refuse to
//! block one of the runtime's tasks. Even with the feature `smol`, [`runtime::current`] does not
//! return smol in tasks that the application itself spawned: name smol, and likewise
//! `async-executor`, with [`PeersBuilder::runtime`](peer::PeersBuilder::runtime).
//!
//! # Cancel safety
//!
//! Handles of closes and tasks are cancel safe: the work goes on without its handle. Cancelling
//! `webrtc::open` leaves no socket, driver or handler behind. The documentation of every other
//! async function says what happens when its future is dropped.
//!
//! # Panics
//!
//! No function of this crate panics, whatever its input, on any thread, in synchronous code,
//! asynchronous code or a destructor; a panic is a bug. The exception is `test_util`, which fails
//! tests by panicking.
//!
//! Panics of the application's handlers, tasks and observers, and of a connection's close, are
//! caught. A panic in a handler is reported as [`EventKind::HandlerPanicked`], a panic in a
//! connection's close is reported in the [`Outcome`], and a panic in a task is the result of the
//! task ([`JoinError::Panicked`](runtime::JoinError::Panicked)). A panic in an observer is ignored.
//! A panic in a closure that the caller passes, such as the one that creates the handler in
//! `webrtc::open`, is not caught, and reaches the caller.
//!
//! # Stability
//!
//! Before version 1.0, a minor version may change the API, and `CHANGELOG.md` lists each change.
//! Enums and structs that may grow are `#[non_exhaustive]`. Public items outside the module
//! `webrtc` use no types of other crates, with these exceptions: `tokio::runtime::Handle`,
//! [`runtime::Executor`] and [`runtime::StaticExecutor`] (of `async-executor`), from which spawners
//! are created; `axum::Router`, which `http` returns; and the trait `Stream` of the futures crate,
//! which a monitor's updates implement.

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
