//! Offers and answers between real peers, whose handlers are given their own peer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::peer::{CloseMode, CloseReason};
use anypeer::runtime::{Executor, ExecutorSpawner, Runtime};
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionIceEvent,
    RTCSessionDescription,
};
use anypeer::webrtc::{
    self, Candidates, MAX_QUEUED_CANDIDATES, OperationError, Peer, WeakPeer, async_trait,
};
use anypeer::{
    ConnectionState, Event, EventKind, Observer, Outcome, PeerId, PeerOptions, Peers, Side as Of,
};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{FutureExt, StreamExt};

use crate::support::host::on_all_at_once;
use crate::support::loopback::{builder, opened};
use crate::support::poll::{PATIENCE, block_on, within};

const BOUND: Duration = Duration::from_secs(5);

/// What a callback found when it upgraded its peer: the callback's name, and the peer's id.
type Upgraded = (&'static str, Option<PeerId>);

/// A handler that knows its peer: it echoes what comes, and hands on what is gathered.
struct Handler {
    peer: WeakPeer,
    candidates: UnboundedSender<RTCIceCandidateInit>,
    upgraded: Arc<Mutex<Vec<Upgraded>>>,
}

impl Handler {
    fn upgrade(&self, callback: &'static str) -> Option<Peer> {
        let peer = self.peer.upgrade();
        let id = peer.as_ref().map(|peer| peer.id().clone());
        self.upgraded.lock().unwrap().push((callback, id));
        peer
    }
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.upgrade("on_negotiation_needed");
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        self.upgrade("on_ice_candidate");
        let candidate = event.candidate.to_json().expect("it is one");
        // The other side may not care.
        let _ = self.candidates.unbounded_send(candidate);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let Some(peer) = self.upgrade("on_data_channel") else { return };
        peer.tasks().spawn("echo", async move {
            while let Some(event) = channel.poll().await {
                if let DataChannelEvent::OnMessage(message) = event {
                    let _closed = channel.send(message.data).await;
                }
            }
        });
    }
}

/// A peer, and what its handler has seen.
pub(crate) struct Side {
    pub(crate) peer: Peer,
    pub(crate) candidates: UnboundedReceiver<RTCIceCandidateInit>,
    upgraded: Arc<Mutex<Vec<Upgraded>>>,
}

pub(crate) async fn open(peers: &Peers, id: &str) -> Side {
    let (candidates, gathered) = unbounded();
    let upgraded = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&upgraded);
    let handler = |peer| Arc::new(Handler { peer, candidates, upgraded: seen }) as _;
    let peer = webrtc::open(peers, builder(), handler, PeerOptions::new().id(id)).await;
    Side { peer: peer.expect("opens"), candidates: gathered, upgraded }
}

/// Runs a test with two peers in a task of each backend's own.
fn on_two<F>(test: impl Fn(Side, Side) -> F + Clone + Send + Sync + 'static)
where
    F: Future<Output = ()> + Send,
{
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let test = test.clone();
        let ended = host.in_task(async move {
            let (a, b) = (open(&peers, "a").await, open(&peers, "b").await);
            let ended = within(PATIENCE, Box::pin(test(a, b))).await;
            assert!(peers.shutdown().await.all_closed(), "expected nothing to be left");
            ended
        });
        assert!(ended.is_some(), "expected an end in time on {backend:?}");
    });
}

/// Sends a message and waits for the same to come back.
pub(crate) async fn echoes(channel: &dyn DataChannel) {
    channel.send_text("hello").await.expect("it is sent");
    loop {
        match channel.poll().await.expect("expected the channel to go on") {
            DataChannelEvent::OnMessage(message) if &message.data[..] == b"hello" => return,
            _ => {}
        }
    }
}

/// Hands all of one side's candidates to the other, for as long as this is polled.
async fn trickle(candidates: &mut UnboundedReceiver<RTCIceCandidateInit>, to: &Peer) {
    while let Some(candidate) = candidates.next().await {
        to.add_ice_candidate(candidate).await.expect("it is taken");
    }
}

/// Runs `future` while each side's candidates trickle to the other.
async fn trickling<T>(a: &mut Side, b: &mut Side, future: impl Future<Output = T>) -> T {
    let Side { peer: to_a, candidates: of_a, .. } = a;
    let Side { peer: to_b, candidates: of_b, .. } = b;
    let both = futures::future::join(trickle(of_a, to_b), trickle(of_b, to_a));
    match futures::future::select(std::pin::pin!(future), std::pin::pin!(both)).await {
        futures::future::Either::Left((output, _)) => output,
        futures::future::Either::Right(_) => panic!("expected the handlers to live"),
    }
}

fn has_candidates(description: &RTCSessionDescription) -> bool {
    description.sdp.contains("a=candidate:")
}

fn is_complete(description: &RTCSessionDescription) -> bool {
    has_candidates(description) && description.sdp.contains("a=end-of-candidates")
}

#[test]
fn an_offer_and_an_answer_with_all_candidates_connect() {
    on_two(async |a, b| {
        let channel = a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        assert!(is_complete(&offer), "{}", offer.sdp);
        a.peer.gathering_complete().await.expect("it is open");
        let answer = webrtc::answer(&b.peer, offer, Candidates::Complete).await.expect("an answer");
        assert!(is_complete(&answer), "{}", answer.sdp);
        a.peer.set_remote_description(answer).await.expect("it is taken");
        a.peer.connected().await.expect("it connects");
        b.peer.connected().await.expect("it connects");
        assert_eq!(a.peer.connection_state(), Some(ConnectionState::Connected));
        opened(&*channel).await.expect("it opens");
        echoes(&*channel).await;
    });
}

#[test]
fn descriptions_that_trickle_have_no_candidates_and_those_that_come_connect() {
    on_two(async |mut a, mut b| {
        let channel = a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Trickle).await.expect("an offer");
        assert!(!has_candidates(&offer), "{}", offer.sdp);
        let answer = webrtc::answer(&b.peer, offer, Candidates::Trickle).await.expect("an answer");
        assert!(!has_candidates(&answer), "{}", answer.sdp);
        a.peer.set_remote_description(answer).await.expect("it is taken");
        trickling(&mut a, &mut b, async {
            opened(&*channel).await.expect("it opens");
            echoes(&*channel).await;
        })
        .await;
    });
}

#[test]
fn candidates_that_come_before_the_descriptions_are_added_with_them() {
    on_two(async |mut a, mut b| {
        let channel = a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Trickle).await.expect("an offer");
        a.peer.gathering_complete().await.expect("it is open");
        let mut queued = 0;
        while let Ok(candidate) = a.candidates.try_recv() {
            b.peer.add_ice_candidate(candidate).await.expect("it is queued");
            queued += 1;
        }
        assert!(queued > 0, "expected a candidate to come before the offer");
        let answer = webrtc::answer(&b.peer, offer, Candidates::Trickle).await.expect("an answer");
        b.peer.gathering_complete().await.expect("it is open");
        // Those of the answerer come before its answer, too.
        while let Ok(candidate) = b.candidates.try_recv() {
            a.peer.add_ice_candidate(candidate).await.expect("it is queued");
        }
        a.peer.set_remote_description(answer).await.expect("it is taken");
        opened(&*channel).await.expect("it opens");
        echoes(&*channel).await;
    });
}

#[test]
fn only_so_many_candidates_are_queued() {
    on_two(async |a, b| {
        let candidate = |port: usize| RTCIceCandidateInit {
            candidate: format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"),
            sdp_mid: Some("0".into()),
            sdp_mline_index: Some(0),
            ..RTCIceCandidateInit::default()
        };
        for number in 0..MAX_QUEUED_CANDIDATES {
            b.peer.add_ice_candidate(candidate(1024 + number)).await.expect("it is queued");
        }
        let refused = b.peer.add_ice_candidate(candidate(1)).await;
        assert!(matches!(refused, Err(OperationError::TooManyCandidates)), "{refused:?}");
        // The queue is empty again once they are added.
        a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        b.peer.set_remote_description(offer).await.expect("it is taken");
        b.peer.add_ice_candidate(candidate(1)).await.expect("it is added at once");
    });
}

#[test]
fn a_candidate_that_is_none_is_an_error_where_it_is_added_and_the_description_is_set() {
    on_two(async |a, b| {
        let nonsense = RTCIceCandidateInit {
            candidate: "candidate:nonsense".into(),
            ..RTCIceCandidateInit::default()
        };
        b.peer.add_ice_candidate(nonsense.clone()).await.expect("it is queued as it is");
        a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        let taken = b.peer.set_remote_description(offer).await;
        assert!(matches!(taken, Err(OperationError::Webrtc(_))), "{taken:?}");
        assert!(b.peer.remote_description().await.expect("it is open").is_some());
        let added = b.peer.add_ice_candidate(nonsense).await;
        assert!(matches!(added, Err(OperationError::Webrtc(_))), "{added:?}");
        b.peer.create_answer(None).await.expect("it can be answered all the same");
    });
}

/// The ports of the remote candidates that were added, in order.
#[derive(Default)]
struct Added(Mutex<Vec<u16>>);

impl Observer for Added {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::CandidateAdded { side: Of::Remote, candidate, .. } = &event.kind {
            self.0.lock().unwrap().push(candidate.port);
        }
    }
}

fn on_port(port: u16, protocol: &str, rest: &str) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: format!("candidate:1 1 {protocol} 2130706431 127.0.0.1 {port} typ host{rest}"),
        sdp_mid: Some("0".into()),
        ..RTCIceCandidateInit::default()
    }
}

#[test]
fn candidates_that_a_dropped_call_has_not_added_are_added_by_the_next_call() {
    for describes_again in [false, true] {
        let background = Runtime::background().expect("a thread");
        let background = Peers::builder().runtime(background).build();
        let a = block_on(open(&background, "a"));
        block_on(a.peer.create_data_channel("data", None)).expect("a channel");
        let offer = block_on(webrtc::offer(&a.peer, Candidates::Trickle)).expect("an offer");

        // Nobody drives it once it is open: what calls have to tell the driver fills a channel.
        let executor = Arc::new(Executor::new());
        let added = Arc::new(Added::default());
        let observer = Arc::clone(&added) as Arc<dyn Observer>;
        let runtime = ExecutorSpawner::new(&executor);
        let peers = Peers::builder().runtime(runtime).observer(observer).build();
        let b = block_on(executor.run(open(&peers, "b"))).peer;
        block_on(b.add_ice_candidate(on_port(9, "tcp", " tcptype passive"))).expect("it is queued");
        for port in 5001..=5003 {
            block_on(b.add_ice_candidate(on_port(port, "udp", ""))).expect("it is queued");
        }
        let configuration = block_on(b.configuration()).expect("it is open");
        let told = || b.set_configuration(configuration.clone()).now_or_never();
        assert!((0..1000).any(|_| told().is_none()), "expected the channel to be full");
        let dropped = b.set_remote_description(offer.clone()).now_or_never();
        assert!(dropped.is_none(), "expected it to wait for the driver: {dropped:?}");
        let early = added.0.lock().unwrap().clone();
        assert!(early.is_empty(), "expected none to be added by then: {early:?}");

        block_on(executor.run(async {
            if describes_again {
                let again = b.set_remote_description(offer).await;
                assert!(matches!(again, Err(OperationError::Webrtc(_))), "{again:?}");
            }
            b.add_ice_candidate(on_port(5004, "udp", "")).await.expect("it is taken");
            let ports = added.0.lock().unwrap().clone();
            assert_eq!(ports, [9, 5001, 5002, 5003, 5004], "expected each of them once");
            assert!(peers.shutdown().await.all_closed(), "expected nothing to be left");
        }));
    }
}

#[test]
fn an_offer_that_is_refused_for_itself_is_no_glare_while_a_local_one_is_pending() {
    on_two(async |a, b| {
        for side in [&a, &b] {
            side.peer.create_data_channel("data", None).await.expect("a channel");
        }
        let own = webrtc::offer(&a.peer, Candidates::Trickle).await.expect("an offer");
        let offer = webrtc::offer(&b.peer, Candidates::Trickle).await.expect("an offer");
        let mut malformed = offer.clone();
        malformed.sdp = malformed.sdp.replacen("t=0 0", "t=0 x", 1);
        assert_ne!(malformed.sdp, offer.sdp, "expected it to be another");
        let refused = a.peer.set_remote_description(malformed.clone()).await;
        assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
        let refused = webrtc::answer(&a.peer, malformed, Candidates::Trickle).await;
        assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
        let glare = a.peer.set_remote_description(offer).await;
        assert!(matches!(glare, Err(OperationError::Glare)), "{glare:?}");
        // Nor is a second offer where none of its own is pending.
        b.peer
            .set_local_description(RTCSessionDescription::rollback(None).expect("one"))
            .await
            .expect("it takes its offer back");
        b.peer.set_remote_description(own.clone()).await.expect("it is taken");
        let again = b.peer.set_remote_description(own).await;
        assert!(matches!(again, Err(OperationError::Webrtc(_))), "{again:?}");
    });
}

#[test]
fn an_offer_that_is_refused_halfway_is_not_answered() {
    on_two(async |a, b| {
        a.peer.create_data_channel("data", None).await.expect("a channel");
        let mut offer = webrtc::offer(&a.peer, Candidates::Trickle).await.expect("an offer");
        let lines = offer.sdp.split_inclusive('\n').filter(|line| !line.starts_with("a=ice-pwd:"));
        offer.sdp = lines.collect();
        let answered = webrtc::answer(&b.peer, offer, Candidates::Trickle).await;
        assert!(matches!(answered, Err(OperationError::Webrtc(_))), "{answered:?}");
    });
}

/// As [`OperationError::Glare`] says.
async fn answer_politely(
    peer: &Peer,
    offer: RTCSessionDescription,
) -> Result<RTCSessionDescription, OperationError> {
    match webrtc::answer(peer, offer.clone(), Candidates::Trickle).await {
        Err(OperationError::Glare) => {
            peer.set_local_description(RTCSessionDescription::rollback(None)?).await?;
            webrtc::answer(peer, offer, Candidates::Trickle).await
        }
        answered => answered,
    }
}

#[test]
fn of_two_peers_that_offer_at_once_the_polite_one_takes_its_offer_back() {
    on_two(async |mut polite, mut impolite| {
        let of_polite = polite.peer.create_data_channel("polite", None).await.expect("a channel");
        let of_impolite =
            impolite.peer.create_data_channel("impolite", None).await.expect("a channel");
        let offer = webrtc::offer(&polite.peer, Candidates::Trickle).await.expect("an offer");
        let other = webrtc::offer(&impolite.peer, Candidates::Trickle).await.expect("an offer");

        // Both see it, by either way in.
        let glare = impolite.peer.set_remote_description(offer).await;
        assert!(matches!(glare, Err(OperationError::Glare)), "{glare:?}");
        let glare = webrtc::answer(&polite.peer, other.clone(), Candidates::Trickle).await;
        assert!(matches!(glare, Err(OperationError::Glare)), "{glare:?}");

        let answer = answer_politely(&polite.peer, other).await.expect("there is a way out");
        impolite.peer.set_remote_description(answer).await.expect("it has waited for it");
        trickling(&mut polite, &mut impolite, async {
            opened(&*of_impolite).await.expect("it opens");
            echoes(&*of_impolite).await;
            // What the polite side was to offer is carried by the same session.
            opened(&*of_polite).await.expect("it opens");
            echoes(&*of_polite).await;
        })
        .await;
    });
}

#[test]
fn the_polite_one_can_offer_again_once_it_has_answered() {
    on_two(async |mut polite, mut impolite| {
        let channel = impolite.peer.create_data_channel("impolite", None).await.expect("a channel");
        polite.peer.create_data_channel("polite", None).await.expect("a channel");
        let _offer = webrtc::offer(&polite.peer, Candidates::Trickle).await.expect("an offer");
        let other = webrtc::offer(&impolite.peer, Candidates::Trickle).await.expect("an offer");
        let answer = answer_politely(&polite.peer, other).await.expect("there is a way out");
        impolite.peer.set_remote_description(answer).await.expect("it has waited for it");
        trickling(&mut polite, &mut impolite, opened(&*channel)).await.expect("it opens");
        let again = webrtc::offer(&polite.peer, Candidates::Trickle).await.expect("an offer");
        let answer = webrtc::answer(&impolite.peer, again, Candidates::Trickle).await;
        let answer = answer.expect("nobody else offers");
        polite.peer.set_remote_description(answer).await.expect("it has waited for it");
        echoes(&*channel).await;
    });
}

#[test]
fn an_answer_without_an_offer_is_refused_and_is_no_glare() {
    on_two(async |a, b| {
        a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        let answer = webrtc::answer(&b.peer, offer, Candidates::Complete).await.expect("an answer");
        let refused = b.peer.set_remote_description(answer.clone()).await;
        assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
        a.peer.set_remote_description(answer.clone()).await.expect("it has waited for it");
        let again = a.peer.set_remote_description(answer).await;
        assert!(matches!(again, Err(OperationError::Webrtc(_))), "{again:?}");
    });
}

#[test]
fn an_offer_after_an_ice_restart_has_the_candidates_that_were_gathered_for_it() {
    on_two(async |a, b| {
        let channel = a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        let first = offer.clone();
        let answer = webrtc::answer(&b.peer, offer, Candidates::Complete).await.expect("an answer");
        a.peer.set_remote_description(answer).await.expect("it is taken");
        opened(&*channel).await.expect("it opens");
        a.peer.restart_ice().await.expect("it restarts");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        assert!(is_complete(&offer), "{}", offer.sdp);
        let ufrag = |description: &RTCSessionDescription| {
            let line = description.sdp.lines().find(|line| line.starts_with("a=ice-ufrag:"));
            line.expect("it has one").to_owned()
        };
        assert_ne!(ufrag(&offer), ufrag(&first), "expected it to be a restart");
        let answer = webrtc::answer(&b.peer, offer, Candidates::Complete).await.expect("an answer");
        assert!(is_complete(&answer), "{}", answer.sdp);
        a.peer.set_remote_description(answer).await.expect("it is taken");
        echoes(&*channel).await;
    });
}

#[test]
fn a_handler_is_given_its_own_peer_and_has_it_in_its_first_callback() {
    on_two(async |a, b| {
        let channel = a.peer.create_data_channel("data", None).await.expect("a channel");
        let offer = webrtc::offer(&a.peer, Candidates::Complete).await.expect("an offer");
        let answer = webrtc::answer(&b.peer, offer, Candidates::Complete).await.expect("an answer");
        a.peer.set_remote_description(answer).await.expect("it is taken");
        opened(&*channel).await.expect("it opens");
        echoes(&*channel).await;
        for side in [&a, &b] {
            let upgraded = side.upgraded.lock().unwrap();
            assert!(!upgraded.is_empty(), "expected callbacks");
            for (callback, id) in upgraded.iter() {
                assert_eq!(id.as_ref(), Some(side.peer.id()), "in {callback}");
            }
        }
    });
}

#[test]
fn a_peer_whose_connection_is_being_built_is_there_and_cannot_be_called_yet() {
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        host.in_task(async move {
            let (candidates, _gathered) = unbounded();
            let upgraded = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&upgraded);
            let handler = |peer: WeakPeer| {
                assert!(peer.upgrade().is_none(), "expected it not to be registered yet");
                assert_eq!(peer.id().as_str(), "a");
                Arc::new(Handler { peer, candidates, upgraded: seen }) as _
            };
            let options = PeerOptions::new().id("a");
            let instrument = webrtc::instrument(&peers, handler, options).expect("inserted");
            // The earliest that a callback can come.
            instrument.handler().on_negotiation_needed().await;
            let id = upgraded.lock().unwrap()[0].1.clone();
            assert_eq!(id.expect("it upgrades").as_str(), "a", "on {backend:?}");
            let early = webrtc::get(&peers, "a").expect("it is registered");
            for refused in [
                early.create_data_channel("data", None).await.err(),
                early.create_offer(None).await.err(),
                early.add_ice_candidate(RTCIceCandidateInit::default()).await.err(),
                webrtc::offer(&early, Candidates::Complete).await.err(),
            ] {
                assert!(matches!(refused, Some(OperationError::NotBuilt)), "{refused:?}");
            }
            assert!(early.connection().is_none());
            let built = builder()
                .with_runtime(instrument.runtime())
                .with_handler(instrument.handler())
                .with_dedicated_reactor_pool_size(1)
                .build()
                .await
                .expect("it is built");
            let peer = instrument.adopt(Arc::new(built)).expect("it is the one");
            early.create_data_channel("data", None).await.expect("it is built by now");
            assert_eq!(peer.close().await, Outcome::Closed(CloseMode::Graceful), "on {backend:?}");
            let closed = early.create_offer(None).await;
            assert!(matches!(closed, Err(OperationError::Closed)), "{closed:?}");
        });
    });
}

#[test]
fn what_is_waited_for_of_a_peer_ends_with_it() {
    on_two(async |a, b| {
        let waits = async |peer: &Peer| (peer.connected().await, peer.gathering_complete().await);
        let (waited, outcome) = futures::join!(waits(&a.peer), a.peer.close());
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful));
        let (connected, gathered) = waited;
        assert_eq!(connected.expect_err("it never did").reason, CloseReason::Requested);
        assert_eq!(gathered.expect_err("it never did").reason, CloseReason::Requested);
        b.peer.create_data_channel("data", None).await.expect("a channel");
        assert!(b.peer.close().await.is_closed());
        let offered = webrtc::offer(&b.peer, Candidates::Complete).await;
        assert!(matches!(offered, Err(OperationError::Closed)), "{offered:?}");
    });
}

#[test]
fn a_peer_that_the_set_keeps_is_answered_for_by_its_handler_alone() {
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let outcome = host.in_task(async move {
            let (client, server) = (open(&peers, "client").await, open(&peers, "server").await);
            let channel = client.peer.create_data_channel("data", None).await.expect("a channel");
            let offer = webrtc::offer(&client.peer, Candidates::Complete).await.expect("an offer");
            let answer = webrtc::answer(&server.peer, offer, Candidates::Complete).await;
            let answer = answer.expect("an answer");
            // As a server does once it has answered: nobody but the set has the peer.
            server.peer.detach();
            client.peer.set_remote_description(answer).await.expect("it is taken");
            opened(&*channel).await.expect("it opens");
            echoes(&*channel).await;
            peers.close("server").await
        });
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful), "on {backend:?}");
    });
}

#[test]
fn a_connection_that_was_adopted_offers_all_of_its_candidates() {
    let runtime: Arc<dyn ::webrtc::runtime::Runtime> = Arc::new(::webrtc::runtime::SmolRuntime);
    struct Quiet;
    impl PeerConnectionEventHandler for Quiet {}
    let bare = block_on(builder().with_runtime(runtime).with_handler(Arc::new(Quiet)).build());
    let peers = Peers::builder().runtime(Runtime::background().unwrap()).build();
    let adopted = webrtc::adopt(&peers, Arc::new(bare.expect("it is built")), PeerOptions::new());
    let adopted = adopted.expect("inserted");
    let _channel = block_on(adopted.create_data_channel("data", None)).expect("a channel");
    let offer = block_on(within(BOUND, webrtc::offer(&adopted, Candidates::Complete)));
    let offer = offer.expect("expected an offer in time").expect("an offer");
    assert!(is_complete(&offer), "{}", offer.sdp);
}

#[test]
fn a_candidate_that_makes_no_sense_keeps_no_offer_from_being_answered() {
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        host.in_task(async move {
            let (a, _) = crate::support::loopback::open(&peers, PeerOptions::new()).await.unwrap();
            let (b, _) = crate::support::loopback::open(&peers, PeerOptions::new()).await.unwrap();
            a.create_data_channel("x", None).await.unwrap();
            let nonsense = RTCIceCandidateInit {
                candidate: "candidate:1 1 udp 1 what 99999 typ host".to_owned(),
                ..Default::default()
            };
            b.add_ice_candidate(nonsense).await.expect("it is queued");
            let offer = webrtc::offer(&a, Candidates::Complete).await.unwrap();
            let answered = webrtc::answer(&b, offer, Candidates::Complete).await;
            assert!(answered.is_ok(), "on {backend:?}: {answered:?}");
        });
    });
}
