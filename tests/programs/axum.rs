//! A signalling server with axum, on tokio.
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit as Candidate,
    RTCSessionDescription as Description,
};
use anypeer::webrtc::{self, Candidates, WeakPeer, async_trait};
use anypeer::{PeerOptions, Peers};
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router, http::StatusCode as Status};
use serde_json::{Value, json};
use std::sync::Arc;

struct Echo(WeakPeer);
#[async_trait]
impl PeerConnectionEventHandler for Echo {
    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let Some(peer) = self.0.upgrade() else { return };
        peer.tasks().spawn("echo", async move {
            while let Some(event) = channel.poll().await {
                let DataChannelEvent::OnMessage(message) = event else { continue };
                let _closed = channel.send(message.data).await;
            }
        });
    }
}

async fn offer(peers: State<Peers>, Json(offer): Json<Description>) -> Result<Json<Value>, Status> {
    let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
    let opened = webrtc::open(&peers, builder, |peer| Arc::new(Echo(peer)), PeerOptions::new());
    let peer = opened.await.or(Err(Status::SERVICE_UNAVAILABLE))?;
    let answered = webrtc::answer(&peer, offer, Candidates::Complete).await;
    let answer = answered.or(Err(Status::BAD_REQUEST))?;
    let answer = json!({ "id": peer.id().as_str(), "answer": answer });
    peer.detach();
    Ok(Json(answer))
}

async fn trickle(peers: State<Peers>, Path(id): Path<String>, Json(it): Json<Candidate>) -> Status {
    let Some(peer) = webrtc::get(&peers, id) else { return Status::NOT_FOUND };
    peer.add_ice_candidate(it).await.map_or(Status::BAD_REQUEST, |()| Status::NO_CONTENT)
}

async fn close(peers: State<Peers>, Path(id): Path<String>) -> Result<String, Status> {
    let peer = peers.get(id).ok_or(Status::NOT_FOUND)?;
    Ok(peer.close().await.to_string())
}

async fn list(peers: State<Peers>) -> Json<Vec<String>> {
    Json(peers.ids().iter().map(ToString::to_string).collect())
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, peers: Peers) -> std::io::Result<()> {
    let routes = Router::new().route("/offer", post(offer)).route("/peers", get(list));
    let routes = routes.route("/peers/{id}/candidates", post(trickle));
    axum::serve(listener, routes.route("/peers/{id}", delete(close)).with_state(peers)).await
}
