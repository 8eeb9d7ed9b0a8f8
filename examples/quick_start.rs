//! The quick start of the README, line for line:
//! `cargo run --release --no-default-features --features tokio,webrtc,crypto-ring --example quick_start`

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::sync::Arc;

use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCSessionDescription,
};
use anypeer::webrtc::{self, Candidates};
use anypeer::{PeerOptions, Peers};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};

struct Handler; // your callbacks: data channels, tracks, states
impl PeerConnectionEventHandler for Handler {}

type Answer = Result<Json<RTCSessionDescription>, StatusCode>;

async fn offer(State(peers): State<Peers>, Json(offer): Json<RTCSessionDescription>) -> Answer {
    // Loopback only: in production, bind an address that your clients can reach.
    let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
    let open = webrtc::open(&peers, builder, |_weak| Arc::new(Handler), PeerOptions::new());
    let peer = open.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let answer = webrtc::answer(&peer, offer, Candidates::Complete).await;
    let answer = answer.map_err(|_| StatusCode::BAD_REQUEST)?;
    peer.detach(); // `peers` owns the peer now. Otherwise it would be closed here.
    Ok(Json(answer))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let peers = Peers::new();
    let app = Router::new().route("/offer", post(offer)).with_state(peers.clone());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, app).with_graceful_shutdown(interrupted).await?;
    println!("{}", peers.shutdown().await); // "3 of 3 closed"
    Ok(())
}
