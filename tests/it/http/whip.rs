//! Sessions through WHIP, with real peers on both sides.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
#[cfg(feature = "test-util")]
use std::sync::{
    Mutex,
    mpsc::{Receiver, channel},
};
#[cfg(feature = "test-util")]
use std::time::{Duration, Instant};

use anypeer::http::SessionOptions;
use anypeer::monitor::Monitor;
use anypeer::peer::CloseReason;
use anypeer::peer::PeersBuilder;
#[cfg(feature = "test-util")]
use anypeer::test_util::ManualClock;
use anypeer::webrtc::Peer;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::RTCSessionDescription;
#[cfg(feature = "test-util")]
use anypeer::{Event, EventKind, Observer, SignalingState};
use anypeer::{PeerOptions, Peers};

use super::{serve, watched};
#[cfg(feature = "test-util")]
use crate::support::host::Backend;
use crate::support::host::{BACKENDS, Host, on_all_at_once};
use crate::support::http::{Answer, ask, get, send};
use crate::support::loopback::{Seen, open};
#[cfg(feature = "test-util")]
use crate::support::poll::until;
use crate::support::poll::{PATIENCE, poll};

const SDP: &str = "content-type: application/sdp";

fn post(address: SocketAddr, stream: &str, offer: &str) -> Answer {
    ask(address, "POST", &format!("/whip/{stream}"), &[SDP], offer)
}

/// Why the first connection that ends does.
fn ended(monitor: &Monitor) -> CloseReason {
    let first = || monitor.closed().first().and_then(|info| info.end.clone());
    let end = poll(PATIENCE, first);
    end.unwrap_or_else(|| panic!("expected a connection to end: {:?}", monitor.summary())).reason
}

/// Somebody who wants to connect.
struct Client {
    peer: Peer,
    _seen: Arc<Seen>,
    channel: Arc<dyn DataChannel>,
    offer: String,
}

async fn client(peers: &Peers) -> Client {
    let (peer, seen) = open(peers, PeerOptions::new()).await.expect("opens");
    let channel = peer.create_data_channel("data", None).await.expect("a channel");
    let offer = peer.create_offer(None).await.expect("an offer");
    peer.set_local_description(offer).await.expect("it is its own");
    seen.gathered.wait().await;
    let offer = peer.local_description().await.expect("open").expect("it was set").sdp;
    Client { peer, _seen: seen, channel, offer }
}

impl Client {
    async fn connect(&self, answer: String) {
        let answer = RTCSessionDescription::answer(answer).expect("an answer");
        self.peer.set_remote_description(answer).await.expect("it is taken");
        self.until(|event| matches!(event, DataChannelEvent::OnOpen).then_some(())).await;
    }

    async fn until<T>(&self, is_it: impl Fn(DataChannelEvent) -> Option<T>) -> T {
        loop {
            let event = self.channel.poll().await.expect("expected the channel to go on");
            if let Some(found) = is_it(event) {
                return found;
            }
        }
    }

    async fn echoed(&self, message: &str) -> String {
        self.channel.send_text(message).await.expect("it is sent");
        self.until(|event| match event {
            DataChannelEvent::OnMessage(message) => {
                Some(String::from_utf8(message.data.to_vec()).expect("text"))
            }
            _ => None,
        })
        .await
    }
}

#[test]
fn an_offer_opens_a_session_that_echoes_and_a_delete_ends_it() {
    on_all_at_once(|backend, host| {
        let (monitor, peers) = watched(host.runtime());
        let (_serving, address) =
            serve(&peers, &monitor, host.runtime(), |api| api.sessions(SessionOptions::new()));
        let outside = Peers::builder().runtime(host.runtime()).build();
        let client = host.in_task({
            let outside = outside.clone();
            async move { client(&outside).await }
        });
        let answer = post(address, "caf%C3%A9%20%3Cb%3E", &client.offer).expect(201);
        assert_eq!(answer.header("content-type"), Some("application/sdp"));
        let location = answer.header("location").expect("an address").to_owned();
        assert!(location.starts_with("/whip/caf%C3%A9%20%3Cb%3E/"), "{location}");
        let etag = format!("if-match: {}", answer.header("etag").expect("an etag"));
        let client = host.in_task(async move {
            client.connect(answer.body).await;
            assert_eq!(client.echoed("hello").await, "hello");
            client
        });
        let list = get(address, "/webrtc/monitor/connections?group=caf%C3%A9%20%3Cb%3E").json();
        assert_eq!(list["count"], 1, "expected it in its group on {}: {list}", backend.name());

        const FRAGMENT: &str = "content-type: application/trickle-ice-sdpfrag";
        let patch = |headers: &[&str], text: &str| ask(address, "PATCH", &location, headers, text);
        let user = client.offer.lines().find(|line| line.starts_with("a=ice-ufrag:")).expect("one");
        let candidate = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host";
        let text =
            format!("{user}\r\nm=application 9 UDP/DTLS/SCTP 0\r\na=mid:0\r\na={candidate}\r\n");
        assert_eq!(patch(&[FRAGMENT, &etag], &text).expect(204).body, "");
        patch(&[FRAGMENT], &text).expect(428);
        patch(&[FRAGMENT, "if-match: \"other\""], &text).expect(412);
        patch(&[SDP, &etag], &text).expect(415);
        patch(&[FRAGMENT, &etag], "hello").expect(400);
        patch(&[FRAGMENT, &etag], "a=ice-ufrag:other\r\n").expect(422);
        patch(&[FRAGMENT, &etag], &"a=x\r\n".repeat(20_000)).expect(413);

        let many = format!("{user}\r\n{}", format!("a={candidate}\r\n").repeat(256));
        patch(&[FRAGMENT, &etag], &many).expect(400);

        ask(address, "DELETE", "/whip/other/x", &[], "").expect(404);
        ask(address, "DELETE", &location.replace("caf", "tea"), &[], "").expect(404);
        ask(address, "DELETE", &location, &[], "").expect(200);
        ask(address, "DELETE", &location, &[], "").expect(404);
        patch(&[FRAGMENT, &etag], &text).expect(404);
        assert!(peers.is_empty(), "expected nothing to be left: {peers:?}");
        host.in_task(async move { client.peer.closed().await });
    });
}

#[test]
fn what_is_no_offer_is_refused_and_leaves_no_peer() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let options = SessionOptions::new().max_offer_bytes(4096);
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.sessions(options));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let change = |from: &str, to: &str| {
        assert!(offer.contains(from), "expected {from:?} in {offer}");
        post(address, "x", &offer.replacen(from, to, 1)).expect(400);
    };
    change("v=0", "v=1");
    change("t=0 0\r\n", "");
    change("a=setup:actpass\r\n", "");
    change("a=ice-pwd:", "a=ice-pwd:?");
    change("a=ice-ufrag:", "a=x:");
    change("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:");
    change("a=sctp-port:5000", "a=sctp-port:70000");
    change("webrtc-datachannel", "other");
    change("a=mid:", "a=mid:\u{0}");
    change("a=candidate:", "a=candidate:nonsense ");
    change("a=group:BUNDLE 0", "a=group:BUNDLE 0 7");
    change("UDP/DTLS/SCTP", "RTP/AVP");
    change("a=", "hello\r\na=");
    change("m=application 9", "m=application 0");
    post(address, "x", "").expect(400);
    post(address, "x", offer.trim_end()).expect(400);
    post(address, "x", &format!("{offer}{}", "a=x:y\r\n".repeat(1000))).expect(413);
    post(address, "%00", &offer).expect(400);
    post(address, &"x".repeat(257), &offer).expect(400);
    post(address, "%FF", &offer).expect(404);
    ask(address, "POST", "/whip/x", &["content-type: text/plain"], &offer).expect(415);
    ask(address, "POST", "/whip/x", &[], &offer).expect(415);
    ask(address, "GET", "/whip/x", &[], "").expect(405);
    let answer = ask(address, "OPTIONS", "/whip/x", &[], "").expect(204);
    assert_eq!(answer.header("accept-post"), Some("application/sdp"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert!(peers.is_empty(), "expected no peer to be left: {peers:?}");
    assert_eq!(monitor.summary().states.live(), 0);
    post(address, "x", &offer).expect(201);
}

#[cfg(feature = "test-util")]
#[test]
fn one_session_more_than_may_be_is_refused_until_another_has_ended() {
    let host = Host::start(BACKENDS[0]);
    let (clock, limit) = (ManualClock::new(), Duration::from_secs(20));
    let (monitor, peers) = watched(clock.runtime(host.runtime()));
    let options = SessionOptions::new().max_sessions(1).connect_within(limit);
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.sessions(options));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    post(address, "x", &offer).expect(201);
    let refused = post(address, "x", &offer).expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    // It never connects.
    clock.advance(limit);
    assert_eq!(ended(&monitor), CloseReason::NeverConnected);
    until("room for another", || post(address, "x", &offer).status == 201);
}

#[test]
fn the_id_that_a_monitor_shows_gives_no_right_to_a_session() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let options = SessionOptions::new().max_sessions(1);
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.sessions(options));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let delete = |path: &str| ask(address, "DELETE", path, &[], "");
    let location = |answer: Answer| answer.header("location").expect("an address").to_owned();

    let session = location(post(address, "x", &offer).expect(201));
    let secret = session.rsplit('/').next().expect("a segment");
    let list = get(address, "/webrtc/monitor/connections");
    assert!(!list.body.contains(secret), "expected no secret in {}", list.body);
    let [id] = &*peers.ids() else { panic!("expected one peer: {:?}", peers.ids()) };
    assert!(list.body.contains(id.as_str()), "expected {id} in {}", list.body);
    delete(&format!("/whip/x/{id}")).expect(404);
    delete(&format!("/whip/x/{}", id.as_str().trim_start_matches("whip-"))).expect(404);
    delete("/whip/x/").expect(404);

    // Ended by whoever has its id, and not through its URL.
    post(address, "x", &offer).expect(503);
    let closing = peers.close(id);
    assert!(host.in_task(closing).is_closed());
    delete(&session).expect(404);
    ask(address, "PATCH", &session, &[], "").expect(404);
    assert!(peers.get(id).is_none(), "expected nobody to own it: {peers:?}");
    let next = location(post(address, "x", &offer).expect(201));
    assert_ne!(session, next, "expected another secret");
    delete(&session).expect(404);
    delete(&next).expect(200);
    post(address, "x", &offer).expect(201);
}

#[test]
fn sessions_end_with_the_interface_that_they_were_opened_through_and_no_others_do() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let serve =
        || serve(&peers, &monitor, host.runtime(), |api| api.sessions(SessionOptions::new()));
    let ((serving, address), (_other, other_address)) = (serve(), serve());
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let answer = post(address, "x", &offer).expect(201);
    let other_answer = post(other_address, "x", &offer).expect(201);
    assert_eq!(peers.len(), 2);
    let session = answer.header("location").expect("an address");
    ask(other_address, "DELETE", session, &[], "").expect(404);
    drop(serving);
    assert_eq!(ended(&monitor), CloseReason::Requested);
    assert_eq!(peers.len(), 1);
    let other_session = other_answer.header("location").expect("an address");
    ask(other_address, "DELETE", other_session, &[], "").expect(200);
    assert!(peers.is_empty(), "expected nothing to be left: {peers:?}");
}

/// Peers that are watched, as `build` has them.
fn limited(host: &Host, build: impl FnOnce(PeersBuilder) -> PeersBuilder) -> (Monitor, Peers) {
    let monitor = Monitor::new().expect("threads");
    let peers = build(Peers::builder().runtime(host.runtime()).monitor(&monitor)).build();
    (monitor, peers)
}

#[test]
fn a_session_that_its_set_refuses_is_answered_with_the_reason() {
    let host = Host::start(BACKENDS[0]);
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let refused = |set: &dyn Fn(PeersBuilder) -> PeersBuilder,
                   before: &dyn Fn(SocketAddr, &Peers)| {
        let (monitor, peers) = limited(&host, set);
        let (_serving, address) =
            serve(&peers, &monitor, host.runtime(), |api| api.sessions(SessionOptions::new()));
        before(address, &peers);
        let answer = post(address, "x", &offer).expect(503);
        let detail = answer.json()["detail"].as_str().expect("one").to_owned();
        (detail, answer.header("retry-after").map(str::to_owned))
    };
    let one_more = |address: SocketAddr, _: &Peers| drop(post(address, "x", &offer).expect(201));
    let again = Some("1".to_owned());
    let full = refused(&|set| set.max_peers(1), &one_more);
    assert_eq!(full, ("There are too many connections".to_owned(), again.clone()));
    let full = refused(&|set| set.max_peers_per_group(1), &one_more);
    assert_eq!(full, ("There are too many connections in this stream".to_owned(), again));
    // These do not pass.
    let draining = refused(&|set| set, &|_, peers| peers.drain());
    assert_eq!(draining, ("The server does not accept new sessions".to_owned(), None));
    let shut_down = refused(&|set| set, &|_, peers| drop(peers.shutdown()));
    assert_eq!(shut_down, ("The server is shutting down".to_owned(), None));
}

#[test]
fn a_session_that_cannot_be_opened_is_answered_with_the_cause() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    // An address of documentation (RFC 5737): not this machine's.
    let options = SessionOptions::new().address([192, 0, 2, 1].into());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.sessions(options));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let answer = post(address, "x", &offer).expect(503);
    let detail = answer.json()["detail"].as_str().expect("one").to_owned();
    let cause = detail.strip_prefix("The connection could not be built: ");
    assert!(cause.is_some_and(|cause| !cause.is_empty()), "expected a cause in {detail:?}");
    assert!(peers.is_empty(), "expected nothing to be left: {peers:?}");
}

#[test]
fn every_request_to_a_session_that_has_ended_is_answered_alike() {
    const FRAGMENT: &str = "content-type: application/trickle-ice-sdpfrag";
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) =
        serve(&peers, &monitor, host.runtime(), |api| api.sessions(SessionOptions::new()));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let answer = post(address, "x", &offer).expect(201);
    let session = answer.header("location").expect("an address").to_owned();
    let etag = format!("if-match: {}", answer.header("etag").expect("an etag"));
    let text = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n";
    // There is nothing to get of a session (RFC 9725, section 4).
    ask(address, "GET", &session, &[], "").expect(405);

    // A fragment that comes while its session ends: the server has found the session, and asks for
    // the rest.
    let length = text.len();
    let mut late = send(
        address,
        format!(
            "PATCH {session} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{FRAGMENT}\r\n\
             {etag}\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        ),
    );
    let mut go_on = [0; 25];
    late.read_exact(&mut go_on).expect("an answer in time");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    ask(address, "DELETE", &session, &[], "").expect(200);
    late.write_all(text.as_bytes()).expect("it reads");
    let mut rest = String::new();
    late.read_to_string(&mut rest).expect("an answer in time");
    assert!(rest.starts_with("HTTP/1.1 404 "), "expected 404: {rest}");

    let detail = |answer: Answer| answer.expect(404).json()["detail"].clone();
    let patched = detail(ask(address, "PATCH", &session, &[FRAGMENT, &etag], text));
    let deleted = detail(ask(address, "DELETE", &session, &[], ""));
    assert_eq!([patched, deleted], ["Session not found", "Session not found"]);
    assert!(rest.contains("Session not found"), "expected the same: {rest}");
    ask(address, "GET", &session, &[], "").expect(405);
}

/// Holds the driver of a connection when its first offer comes, for as long as the test has the other
/// end of this.
#[cfg(feature = "test-util")]
struct Held(Mutex<Receiver<()>>);

#[cfg(feature = "test-util")]
impl Observer for Held {
    fn on_event(&self, event: &Event<'_>) {
        let offered = SignalingState::HaveRemoteOffer;
        if matches!(event.kind, EventKind::SignalingStateChanged { state, .. } if state == offered)
        {
            let _let_go = self.0.lock().unwrap().recv();
        }
    }
}

#[cfg(feature = "test-util")]
#[test]
fn an_answer_may_take_ten_seconds_by_the_clock_of_the_peers_runtime() {
    const SECOND: Duration = Duration::from_secs(1);
    let (host, held_host) = (Host::start(BACKENDS[0]), Host::start(Backend::Executor));
    let (clock, monitor) = (ManualClock::new(), Monitor::new().expect("threads"));
    let (let_go, held) = channel();
    let peers = Peers::builder()
        .runtime(clock.runtime(held_host.runtime()))
        .monitor(&monitor)
        .observer(Arc::new(Held(Mutex::new(held))))
        .build();
    let options = SessionOptions::new().connect_within(3600 * SECOND);
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.sessions(options));
    let outside = Peers::builder().runtime(host.runtime()).build();
    let offer = host.in_task(async move { client(&outside).await.offer });
    let asked = std::thread::spawn(move || post(address, "x", &offer));
    until("the answer to wait for its candidates", || {
        let done = monitor.finished_operations(None, 100, |_| true).items;
        done.iter().any(|it| it.kind == "set_local_description")
    });
    clock.advance(10 * SECOND - Duration::from_millis(1));
    assert!(!asked.is_finished(), "expected it to have its ten seconds");
    let turned = Instant::now();
    // Its close takes its grace period, by the same clock.
    until("the session to be given up", || {
        clock.advance(SECOND);
        asked.is_finished()
    });
    assert!(turned.elapsed() < 8 * SECOND, "expected it not to wait for the system's clock");
    drop(let_go);
    let answer = asked.join().expect("no panic").expect(503);
    assert!(answer.body.contains("The SDP answer was not ready in time"), "{answer:?}");
}
