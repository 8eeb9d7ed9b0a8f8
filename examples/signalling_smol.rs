//! A signalling server on smol, with hyper and axum's router. Everybody who opens its page joins one
//! chat room, and may share a camera. Run it, then open the page in two tabs:
//! `cargo run --release --example signalling_smol`
//!
//! The browser offers, and both sides trickle their ICE candidates: the server in the response to
//! the offer, which stays open, and the browser in requests of their own. Chat messages and the list
//! of guests go through a data channel. An argument names another address to listen on.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it uses smol, and prints")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use anypeer::runtime::SmolSpawner;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use anypeer::webrtc::peer_connection::{
    MediaEngine, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription, Registry,
    register_default_interceptors,
};
use anypeer::webrtc::{self, Candidates, WeakPeer, async_trait};
use anypeer::{PeerOptions, Peers};
use async_signal::{Signal, Signals};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{StreamExt, channel::mpsc, stream};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use serde_json::{Value, json};
use smol::net::TcpListener;
use smol_hyper::rt::FuturesIo;
use tower_service::Service;

/// What the server knows of a guest. It is stored with the guest's peer, and dropped with it.
struct Guest {
    name: String,
    chat: OnceLock<Arc<dyn DataChannel>>,
    has_camera: AtomicBool,
}

/// The callbacks of one guest's connection. `peer` is weak, because the peer owns its handler.
struct Handler {
    peers: Peers,
    peer: WeakPeer,
    guest: Arc<Guest>,
    candidates: mpsc::UnboundedSender<Value>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            let _browser_left = self.candidates.unbounded_send(json!(candidate));
        }
    }

    // The connection waits for a callback to return, so the loops below run as tasks of the peer.
    // Closing the peer ends its tasks.
    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        if let Some(peer) = self.peer.upgrade() {
            peer.tasks().spawn("chat", chat(self.peers.clone(), self.guest.clone(), channel));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if let Some(peer) = self.peer.upgrade() {
            peer.tasks().spawn("camera", camera(self.peers.clone(), self.guest.clone(), track));
        }
    }

    // `Closed` is reported exactly once, however the connection ends.
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Closed {
            send_guest_list(&self.peers);
        }
    }
}

/// Sends each message of a guest to all guests.
async fn chat(peers: Peers, guest: Arc<Guest>, channel: Arc<dyn DataChannel>) {
    let _it_is_the_first = guest.chat.set(Arc::clone(&channel));
    send_guest_list(&peers);
    while let Some(event) = channel.poll().await {
        if let DataChannelEvent::OnMessage(message) = event {
            let text = String::from_utf8_lossy(&message.data);
            send_to_all(&peers, &json!({ "from": guest.name, "text": text })).await;
        }
    }
}

/// Receives a guest's camera, and tells all guests of its first packet. A conference server would
/// forward the packets here.
async fn camera(peers: Peers, guest: Arc<Guest>, track: Arc<dyn TrackRemote>) {
    while let Some(event) = track.poll().await {
        if matches!(event, TrackRemoteEvent::OnRtpPacket(_))
            && !guest.has_camera.swap(true, Relaxed)
        {
            send_guest_list(&peers);
        }
    }
}

/// Sends the list of guests to all guests, in a task of the whole set: no connection waits for it.
fn send_guest_list(peers: &Peers) {
    let set = peers.clone();
    let send = async move {
        let entry = |guest: &Arc<Guest>| json!({ "name": guest.name, "camera": guest.has_camera });
        let guests: Vec<_> = set.all().iter().filter_map(|peer| peer.data().map(entry)).collect();
        send_to_all(&set, &json!({ "guests": guests })).await;
    };
    if let Ok(tasks) = peers.tasks() {
        tasks.spawn("guest list", send);
    }
}

async fn send_to_all(peers: &Peers, message: &Value) {
    for peer in peers.all() {
        if let Some(chat) = peer.data::<Arc<Guest>>().and_then(|guest| guest.chat.get()) {
            let _has_left = chat.send_text(&message.to_string()).await;
        }
    }
}

/// Opens a peer for a browser and answers its offer. The response is a stream of lines of JSON: the
/// answer first, and then each of the server's candidates.
async fn join(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(offer): Json<RTCSessionDescription>,
) -> Result<Body, StatusCode> {
    let guest = Arc::new(Guest { name, chat: OnceLock::new(), has_camera: false.into() });
    let (candidates, gathered) = mpsc::unbounded();
    let set = peers.clone();
    let options = PeerOptions::new().data(Arc::clone(&guest));
    let handler = |peer| Arc::new(Handler { peers: set, peer, guest, candidates }) as _;
    let mut media = MediaEngine::default();
    let interceptors = media
        .register_default_codecs()
        .and_then(|()| register_default_interceptors(Registry::new(), &mut media))
        .or(Err(StatusCode::INTERNAL_SERVER_ERROR))?;
    let builder = PeerConnectionBuilder::new()
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .with_media_engine(media)
        .with_interceptor_registry(interceptors);
    let peer = webrtc::open(&peers, builder, handler, options).await;
    let peer = peer.or(Err(StatusCode::SERVICE_UNAVAILABLE))?;
    let answer = webrtc::answer(&peer, offer, Candidates::Trickle).await;
    let answer = answer.or(Err(StatusCode::UNPROCESSABLE_ENTITY))?;
    let joined = json!({ "id": peer.id().as_str(), "answer": answer });
    peer.detach(); // Without this line, the peer would be closed when this function returns.
    let lines = stream::iter([joined]).chain(gathered).map(|line| format!("{line}\n"));
    Ok(Body::from_stream(lines.map(Ok::<_, Infallible>)))
}

/// Adds a candidate of the browser's to its peer.
async fn add_candidate(
    State(peers): State<Peers>,
    Path(id): Path<String>,
    Json(candidate): Json<RTCIceCandidateInit>,
) -> Result<(), StatusCode> {
    let peer = webrtc::get(&peers, id).ok_or(StatusCode::NOT_FOUND)?;
    peer.add_ice_candidate(candidate).await.or(Err(StatusCode::UNPROCESSABLE_ENTITY))
}

/// Serves HTTP/1.1. An axum router is a tower service, and needs no tokio.
async fn serve(listener: TcpListener, app: Router) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let app = app.clone();
        let service = service_fn(move |request| app.clone().call(request));
        let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), service);
        smol::spawn(connection).detach();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let peers = Peers::builder().runtime(SmolSpawner::new()).max_peers(100).build();
    let app = Router::new()
        .route("/", get(|| async { Html(include_str!("shared/signalling.html")) }))
        .route("/guests/{name}", post(join))
        .route("/candidates/{id}", post(add_candidate))
        .with_state(peers.clone());
    smol::block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("listening on http://{}/", listener.local_addr()?);
        let mut signals = Signals::new([Signal::Int])?;
        let interrupted = async { signals.next().await.transpose().map(drop) };
        smol::future::or(serve(listener, app), interrupted).await?;
        println!("{}", peers.shutdown().await);
        Ok(())
    })
}
