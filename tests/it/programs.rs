//! The signalling servers in `tests/programs`: what they do, and how short they are.

#[path = "../programs/axum.rs"]
mod axum;
#[path = "../programs/smol.rs"]
mod smol;

use std::net::{Ipv4Addr, SocketAddr};

use anypeer::Peers;
use anypeer::peer::CloseReason;
use anypeer::runtime::{Runtime, SmolSpawner, TokioSpawner};
use anypeer::webrtc::peer_connection::{RTCIceCandidateInit, RTCSessionDescription};
use anypeer::webrtc::{self, Candidates};

use crate::negotiate::{echoes, open};
use crate::support::http::{Answer, ask, get};
use crate::support::loopback::opened;
use crate::support::poll::{block_on, until};

const EPHEMERAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    ask(address, "POST", path, &["content-type: application/json"], body)
}

fn delete(address: SocketAddr, path: &str) -> Answer {
    ask(address, "DELETE", path, &[], "")
}

/// Visits a server whose peers are `peers`, as a browser would: with a peer of its own.
fn visit(address: SocketAddr, peers: &Peers) {
    let background = Runtime::background().expect("threads");
    let clients = Peers::builder().runtime(background).build();
    let mut client = block_on(open(&clients, "client"));
    let channel = block_on(client.peer.create_data_channel("data", None)).expect("a channel");
    let offer = block_on(webrtc::offer(&client.peer, Candidates::Trickle)).expect("an offer");
    let offer = serde_json::to_string(&offer).expect("it is JSON");

    let answered = post(address, "/offer", &offer).expect(200).json();
    let id = answered["id"].as_str().expect("an id").to_owned();
    let answer: RTCSessionDescription =
        serde_json::from_value(answered["answer"].clone()).expect("an answer");
    assert!(get(address, "/peers").expect(200).body.contains(&id));

    let (path, candidates) = (format!("/peers/{id}"), format!("/peers/{id}/candidates"));
    block_on(client.peer.gathering_complete()).expect("it is open");
    let candidate = client.candidates.try_recv().expect("it has a candidate");
    let candidate = serde_json::to_string(&candidate).expect("it is JSON");
    let added = post(address, &candidates, &candidate);
    assert!(matches!(added.status, 200 | 204), "expected it to be taken: {added:?}");
    block_on(client.peer.set_remote_description(answer)).expect("it is taken");
    block_on(opened(&*channel)).expect("it opens");
    block_on(echoes(&*channel));

    let nonsense = RTCIceCandidateInit { candidate: "nonsense".into(), ..Default::default() };
    let nonsense = serde_json::to_string(&nonsense).expect("it is JSON");
    post(address, &candidates, &nonsense).expect(400);

    assert_eq!(delete(address, &path).expect(200).body, "closed, graceful");
    assert_eq!(block_on(client.peer.closed()), CloseReason::RemoteClosed);
    delete(address, &path).expect(404);
    delete(address, "/peers/nobody").expect(404);
    post(address, &candidates, &candidate).expect(404);
    assert!(!get(address, "/peers").expect(200).body.contains(&id));

    post(address, "/offer", r#"{ "type": "offer", "sdp": "nonsense" }"#).expect(400);
    until("nothing to be left", || peers.is_empty() && peers.retained().is_empty());
}

#[test]
fn the_axum_server_signals_and_closes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let peers = Peers::builder().runtime(TokioSpawner::new(runtime.handle().clone())).build();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(EPHEMERAL)).expect("a port");
    let address = listener.local_addr().expect("it is bound");
    runtime.spawn(axum::serve(listener, peers.clone()));
    visit(address, &peers);
}

#[test]
fn the_smol_server_signals_and_closes() {
    let peers = Peers::builder().runtime(SmolSpawner::new()).build();
    let listener = block_on(::smol::net::TcpListener::bind(EPHEMERAL)).expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let serving = ::smol::spawn(smol::serve(listener, peers.clone()));
    visit(address, &peers);
    block_on(serving.cancel());
}

#[test]
fn a_server_has_fewer_than_60_lines_and_no_map_of_peers() {
    let programs = [include_str!("../programs/axum.rs"), include_str!("../programs/smol.rs")];
    for program in programs {
        let name = program.lines().next().expect("a line");
        let lines = program.lines().count();
        assert!(lines < 60, "expected fewer than 60 lines, and there are {lines}: {name}");
        for map in ["HashMap", "BTreeMap", "DashMap", "IndexMap", "Slab", "Mutex", "RwLock"] {
            assert!(!program.contains(map), "expected no {map}: {name}");
        }
    }
}
