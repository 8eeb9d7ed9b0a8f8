//! A signalling server with hyper, on smol.
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{PeerConnectionBuilder, PeerConnectionEventHandler};
use anypeer::webrtc::{self, Candidates, WeakPeer, async_trait};
use anypeer::{PeerOptions, Peers};
use hyper::{Request, Response, body::Incoming, http, server::conn::http1, service::service_fn};
use serde_json::{from_slice, json};
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

async fn answer(peers: &Peers, request: Request<Incoming>) -> Result<String, i32> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(axum::body::Body::new(body), 65_536).await.or(Err(413))?;
    match (head.method.as_str(), &*head.uri.path().split('/').skip(1).collect::<Vec<_>>()) {
        ("POST", ["offer"]) => {
            let offer = from_slice(&body).or(Err(400))?;
            let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
            let open = webrtc::open(peers, builder, |me| Arc::new(Echo(me)), PeerOptions::new());
            let peer = open.await.or(Err(503))?;
            let answer = webrtc::answer(&peer, offer, Candidates::Complete).await.or(Err(400))?;
            peer.clone().detach();
            Ok(json!({ "id": peer.id().as_str(), "answer": answer }).to_string())
        }
        ("POST", ["peers", id, "candidates"]) => {
            let (peer, it) = (webrtc::get(peers, id).ok_or(404)?, from_slice(&body).or(Err(400))?);
            peer.add_ice_candidate(it).await.map_or(Err(400), |()| Ok(String::new()))
        }
        ("DELETE", ["peers", id]) => Ok(peers.get(id).ok_or(404)?.close().await.to_string()),
        ("GET", ["peers"]) => Ok(peers.ids().iter().map(|id| format!("{id}\n")).collect()),
        _ => Err(404),
    }
}

async fn respond(peers: Peers, request: Request<Incoming>) -> http::Result<Response<String>> {
    let answer = answer(&peers, request).await;
    let status = *answer.as_ref().err().unwrap_or(&200) as u16;
    Response::builder().status(status).body(answer.unwrap_or_default())
}

pub(crate) async fn serve(listener: smol::net::TcpListener, peers: Peers) {
    while let Ok((stream, _)) = listener.accept().await {
        let (stream, peers) = (smol_hyper::rt::FuturesIo::new(stream), peers.clone());
        let service = service_fn(move |request| respond(peers.clone(), request));
        smol::spawn(http1::Builder::new().serve_connection(stream, service)).detach();
    }
}
