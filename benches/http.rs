//! What it costs over HTTP, as ratios, with a real client (`wrk`, which has to be installed):
//! `cargo bench --all-features --bench http [-- rate|latency]`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench brings its own executors, and prints"
)]

#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod shared;
#[path = "shared/still.rs"]
mod still;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anypeer::http::{Api, ServeOptions};
use anypeer::monitor::Monitor;
use anypeer::peer::ReaperOptions;
use anypeer::{
    Candidate, ConnectionState, Event, EventKind, IceConnectionState, IceGatheringState, Observer,
    Peer, PeerOptions, Peers, Sdp, SdpType, Side, SignalingState,
};
use axum::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use smol_hyper::rt::FuturesIo;

use shared::{Backend, each_backend, median};
use still::{Still, Tap};

fn main() {
    let part = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if runs("rate") {
        println!(
            "{:<44}{:>12}{:>12}{:>10}{:>10}",
            "requests a second", "bare hyper", "anypeer", "ratio", "at least"
        );
        each_backend("summary, 10,000 connections", 0.8, rate);
    }
    if runs("latency") {
        println!(
            "\n{:<44}{:>12}{:>12}{:>10}{:>10}",
            "99th percentile", "idle", "32 lists", "ratio", "at most"
        );
        each_backend("summary, 10,000 connections", 10.0, latency);
    }
}

const CONNECTIONS: usize = 10_000;
const ROUNDS: usize = 5;
const SUMMARY: &str = "/webrtc/monitor/summary";

/// Ten thousand connections, each with a life like that of a real one.
struct Known {
    monitor: Monitor,
    peers: Peers,
    _kept: Vec<Peer>,
}

impl Known {
    fn new(backend: &Backend) -> Self {
        let monitor = Monitor::new().expect("threads");
        let tap = Arc::new(Tap::new(&monitor));
        let peers = Peers::builder()
            .runtime(backend.ours.clone())
            .observer(Arc::clone(&tap) as _)
            .reaper(ReaperOptions::off())
            .build();
        let open = |number: usize| {
            let options = PeerOptions::new().group(format!("room {}", number % 100));
            let peer = peers.insert(Arc::new(Still), options).expect("it is taken");
            let told = tap.told.lock().unwrap().clone().expect("the monitor has a record for it");
            live(&peer, &*told);
            peer
        };
        let kept = (0..CONNECTIONS).map(open).collect();
        Self { monitor, peers, _kept: kept }
    }
}

fn live(peer: &Peer, told: &dyn Observer) {
    let peer = peer.id();
    let candidate = "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host";
    let sdp = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
         a=ice-ufrag:abcd\r\na=ice-pwd:{}\r\na=fingerprint:sha-256 {}\r\na=setup:actpass\r\n\
         a=sctp-port:5000\r\na={candidate}\r\n",
        "p".repeat(24),
        ["00"; 32].join(":"),
    );
    let sdp = Sdp::new(&sdp);
    let candidate: &Candidate = &candidate.parse().expect("a candidate");
    for kind in [
        EventKind::DescriptionSet { side: Side::Remote, kind: SdpType::Offer, sdp },
        EventKind::SignalingStateChanged { state: SignalingState::HaveRemoteOffer },
        EventKind::DescriptionSet { side: Side::Local, kind: SdpType::Answer, sdp },
        EventKind::SignalingStateChanged { state: SignalingState::Stable },
        EventKind::CandidateAdded { side: Side::Local, candidate },
        EventKind::IceGatheringStateChanged { state: IceGatheringState::Complete },
        EventKind::IceConnectionStateChanged { state: IceConnectionState::Checking },
        EventKind::ConnectionStateChanged { state: ConnectionState::Connecting },
        EventKind::IceConnectionStateChanged { state: IceConnectionState::Connected },
        EventKind::ConnectionStateChanged { state: ConnectionState::Connected },
        EventKind::ChannelAdded { side: Side::Remote, id: 1, label: "data" },
    ] {
        told.on_event(&Event::new(Some(peer), Instant::now(), kind));
    }
}

fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

fn rate(backend: &Backend, name: &str, limit: f64) {
    let known = Known::new(backend);
    let api = Api::builder(&known.peers, &known.monitor).build().expect("threads");
    let options = ServeOptions::new().runtime(backend.ours.clone());
    let serving = api.serve(loopback(), options).expect("serves");
    let bytes = wrk(serving.local_addr(), SUMMARY, 1, 1).body_bytes;
    let bare = serve_bare(backend, bytes);
    let (mut bares, mut oures, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let ours = wrk(serving.local_addr(), SUMMARY, 16, 3).rate;
        let bare = wrk(bare, SUMMARY, 16, 3).rate;
        bares.push(bare);
        oures.push(ours);
        ratios.push(ours / bare);
    }
    let (bare, ours, ratio) = (median(&mut bares), median(&mut oures), median(&mut ratios));
    println!("{name:<44}{bare:>12.0}{ours:>12.0}{ratio:>10.3}{limit:>10.3}");
}

fn latency(backend: &Backend, name: &str, limit: f64) {
    let known = Known::new(backend);
    let api = Api::builder(&known.peers, &known.monitor).build().expect("threads");
    let options = ServeOptions::new().runtime(backend.ours.clone());
    let serving = api.serve(loopback(), options).expect("serves");
    let address = serving.local_addr();
    let (mut idles, mut loadeds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let idle = wrk(address, SUMMARY, 1, 3).p99;
        let loaded = std::thread::scope(|scope| {
            let lists =
                scope.spawn(|| wrk(address, "/webrtc/monitor/connections?limit=500", 32, 5));
            std::thread::sleep(Duration::from_secs(1));
            let loaded = wrk(address, SUMMARY, 1, 3).p99;
            let lists = lists.join().expect("it ends");
            assert!(lists.rate > 0.0, "expected lists to be answered");
            loaded
        });
        idles.push(idle);
        loadeds.push(loaded);
        ratios.push(loaded / idle);
    }
    let (idle, loaded, ratio) = (median(&mut idles), median(&mut loadeds), median(&mut ratios));
    let (idle, loaded) = (shared::time(idle), shared::time(loaded));
    println!("{name:<44}{idle:>12}{loaded:>12}{ratio:>10.2}{limit:>10.2}");
}

/// What `wrk` has measured.
struct Measured {
    rate: f64,
    /// In seconds.
    p99: f64,
    /// Of one answer.
    body_bytes: usize,
}

fn wrk(address: SocketAddr, path: &str, connections: usize, seconds: usize) -> Measured {
    let url = format!("http://{address}{path}");
    let output = Command::new("wrk")
        .args(["--latency", "-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), &url])
        .output()
        .expect("expected `wrk` to be installed");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.contains("Non-2xx"), "expected every answer to be a good one: {text}");
    let after = |mark: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(mark));
        let line = line.unwrap_or_else(|| panic!("expected {mark:?} in {text}"));
        line.trim_start().trim_start_matches(mark).trim().to_owned()
    };
    let p99 = after("99%");
    let scale = if p99.ends_with("us") {
        1e-6
    } else if p99.ends_with("ms") {
        1e-3
    } else {
        1.0
    };
    let p99: f64 = p99.trim_end_matches(char::is_alphabetic).parse().expect("a number");
    let body_bytes = body_bytes(address, path);
    Measured {
        rate: after("Requests/sec:").parse().expect("a number"),
        p99: p99 * scale,
        body_bytes,
    }
}

/// How long the body of an answer is.
fn body_bytes(address: SocketAddr, path: &str) -> usize {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len())
}

/// A hyper handler that does nothing but answer with so many bytes.
fn serve_bare(backend: &Backend, bytes: usize) -> SocketAddr {
    let listener = loopback();
    let address = listener.local_addr().expect("it is bound");
    let body = axum::body::Bytes::from(vec![b'x'; bytes]);
    let answer = move |_: Request<hyper::body::Incoming>| {
        let mut response = Response::new(Body::from(body.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        std::future::ready(Ok::<_, Infallible>(response))
    };
    if backend.name == "tokio" {
        backend.run(Box::pin(async move {
            listener.set_nonblocking(true).expect("it can be");
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is registered");
            drop(tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    stream.set_nodelay(true).expect("it can be");
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let connection =
                        http1::Builder::new().serve_connection(io, service_fn(answer.clone()));
                    drop(tokio::spawn(connection));
                }
            }));
        }));
    } else {
        let listener = smol::Async::new(listener).expect("it is registered");
        smol::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.get_ref().set_nodelay(true).expect("it can be");
                let io = FuturesIo::new(stream);
                let connection =
                    http1::Builder::new().serve_connection(io, service_fn(answer.clone()));
                smol::spawn(connection).detach();
            }
        })
        .detach();
    }
    address
}
