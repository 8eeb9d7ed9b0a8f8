//! What the observer is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::peer::{CloseMode, CloseReason, ForceCause};
use anypeer::webrtc::peer_connection::PeerConnectionEventHandler;
use anypeer::webrtc::peer_connection::RTCSignalingState;
use anypeer::webrtc::{self, live_objects};
use anypeer::{
    ConnectionState, Event, EventKind, Observer, OperationEnd, Outcome, PeerId, PeerOptions, Peers,
    Target,
};

use crate::host::{BACKENDS, Host, on_all_at_once};
use crate::loopback::{Pair, builder, open};

/// Writes down every event, in short.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let peer = event.peer.map_or("-", PeerId::as_str);
        let line = match &event.kind {
            EventKind::Opened { group, .. } => {
                format!("{peer} opened {}", group.map_or("-", |group| group.as_str()))
            }
            EventKind::ConnectionStateChanged { state } => format!("{peer} {state}"),
            EventKind::CloseStarted { reason } => format!("{peer} closing: {reason}"),
            EventKind::Closed { reason, mode, .. } => {
                format!("{peer} closed: {reason}, {mode}")
            }
            EventKind::OperationStarted { target: Target::Peer(_), operation, .. } => {
                format!("{peer} {operation}..")
            }
            EventKind::OperationEnded { target: Target::Peer(_), operation, end, .. } => {
                let end = match end {
                    OperationEnd::Completed(_) => "Completed",
                    OperationEnd::Failed(_) => "Failed",
                    _ => "Cancelled",
                };
                format!("{peer} {operation} {end}")
            }
            EventKind::IceConnectionStateChanged { state } => format!("{peer} ICE {state}"),
            EventKind::IceGatheringStateChanged { state } => format!("{peer} gathering {state}"),
            EventKind::SignalingStateChanged { state } => format!("{peer} signaling {state}"),
            EventKind::NegotiationNeeded => format!("{peer} negotiation needed"),
            EventKind::CandidateAdded { side, .. } => format!("{peer} {side} candidate"),
            EventKind::ChannelAdded { side, label, .. } => {
                format!("{peer} {side} channel {label}")
            }
            EventKind::DescriptionSet { side, kind, .. } => format!("{peer} {side} {kind}"),
            EventKind::Stats { .. } => format!("{peer} stats"),
            EventKind::Released => format!("{peer} released"),
            EventKind::HandlerPanicked { callback, message, .. } => {
                format!("{peer} {callback} panicked: {message}")
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Log {
    fn of(&self, peer: &str, word: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        let own = lines.iter().filter(|line| line.starts_with(peer) && line.contains(word));
        own.cloned().collect()
    }
}

/// Asks, when it is told Closed, what is still held.
#[derive(Default)]
struct AsksWhatIsHeld {
    peers: Mutex<Option<Peers>>,
    held: Mutex<Vec<usize>>,
}

impl Observer for AsksWhatIsHeld {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::Closed { .. } = event.kind
            && let Some(peers) = &*self.peers.lock().unwrap()
        {
            self.held.lock().unwrap().push(peers.retained().len());
        }
    }
}

#[test]
fn who_is_told_closed_can_ask_what_is_still_held() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let asks = Arc::new(AsksWhatIsHeld::default());
        let peers =
            Peers::builder().runtime(host.runtime()).observer(Arc::clone(&asks) as _).build();
        *asks.peers.lock().unwrap() = Some(peers.clone());
        let outcome = host.in_task(async move {
            let (peer, _) = open(&peers, PeerOptions::new()).await.expect("opens");
            let _kept = peer.connection();
            peer.close().await
        });
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful));
        asks.peers.lock().unwrap().take();
        let held = asks.held.lock().unwrap().clone();
        assert_eq!(held, [1], "expected the connection to be named by the time of Closed");
    }
}

#[test]
fn a_life_is_told_in_order_from_opened_to_one_closed() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let log = Arc::new(Log::default());
        let peers =
            Peers::builder().runtime(host.runtime()).observer(Arc::clone(&log) as _).build();
        let outcome = host.in_task(async move {
            let offerer = PeerOptions::new().id("offerer").group("room");
            let pair = Pair::open(&peers, offerer, PeerOptions::new().id("answerer")).await;
            let pair = pair.expect("connects");
            assert_eq!(pair.offerer.connection_state(), Some(ConnectionState::Connected));
            let outcome = pair.offerer.close().await;
            assert_eq!(pair.offerer.connection_state(), Some(ConnectionState::Closed));
            assert_eq!(pair.offerer.closed().await, CloseReason::Requested);
            assert_eq!(pair.offerer.close_mode(), Some(CloseMode::Graceful));
            outcome
        });
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful));
        // Calls of the application's run beside the driver's callbacks.
        let life = |peer: &str| {
            let lines = log.of(peer, "");
            let call = |line: &String| {
                line.ends_with("..")
                    || line.ends_with("Completed")
                    || line.contains("local channel")
            };
            lines.into_iter().filter(|line| !call(line)).collect::<Vec<_>>()
        };
        let expected = [
            "offerer opened room",
            "offerer negotiation needed",
            "offerer signaling have-local-offer",
            "offerer local offer",
            "offerer local candidate",
            "offerer gathering complete",
            "offerer signaling stable",
            "offerer remote answer",
            "offerer connecting",
            "offerer ICE checking",
            "offerer ICE connected",
            "offerer connected",
            "offerer stats",
            "offerer closing: requested",
            "offerer closed: requested, graceful",
        ];
        let (offerer, released): (Vec<_>, Vec<_>) =
            life("offerer").into_iter().partition(|line| line != "offerer released");
        assert_eq!(offerer, expected, "on {backend:?}");
        assert_eq!(released.len(), 1, "expected its memory to be told free once, on {backend:?}");
        let expected = [
            "answerer opened -",
            "answerer signaling have-remote-offer",
            "answerer remote offer",
            "answerer connecting",
            "answerer signaling stable",
            "answerer local answer",
            "answerer local candidate",
            "answerer gathering complete",
            "answerer ICE connected",
            "answerer connected",
            "answerer stats",
            "answerer remote channel data",
        ];
        // Checks may begin before or after its own candidates are gathered.
        let (checking, answerer): (Vec<_>, Vec<_>) =
            life("answerer").into_iter().partition(|line| line == "answerer ICE checking");
        assert_eq!(answerer[..expected.len()], expected, "on {backend:?}");
        assert_eq!(checking.len(), 1, "on {backend:?}");
        assert_eq!(log.of("offerer", "local channel"), ["offerer local channel data"]);
        let calls = log.of("offerer", "create_offer");
        assert_eq!(calls, ["offerer create_offer..", "offerer create_offer Completed"]);
        let calls = log.of("offerer", " close ");
        assert_eq!(calls, ["offerer close Completed"], "expected the close to be one operation");
    }
}

#[test]
fn an_operation_that_fails_or_is_dropped_is_told_as_that() {
    let host = Host::start(BACKENDS[0]);
    let log = Arc::new(Log::default());
    let peers = Peers::builder().runtime(host.runtime()).observer(Arc::clone(&log) as _).build();
    host.in_task(async move {
        let (peer, _) = open(&peers, PeerOptions::new().id("a")).await.unwrap();
        // No remote description yet.
        peer.create_answer(None).await.expect_err("there is nothing to answer");
        drop(peer.restart_ice());
        let mut dropped = Box::pin(
            peer.stats(std::time::Instant::now(), webrtc::peer_connection::StatsSelector::None),
        );
        // Polled to its end or not, it has one end.
        let _ = futures::poll!(dropped.as_mut());
        drop(dropped);
    });
    assert_eq!(log.of("a", "create_answer"), ["a create_answer..", "a create_answer Failed"]);
    assert!(log.of("a", "restart_ice").is_empty(), "expected a call that was never polled unsaid");
    assert_eq!(log.of("a", "stats ").len(), 1, "expected exactly one end");
    let _ = OperationEnd::Cancelled;
}

/// Panics in a callback of the handshake.
struct Panics;

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Panics {
    async fn on_signaling_state_change(&self, _state: RTCSignalingState) {
        panic!("deliberate panic in a callback");
    }
}

#[test]
fn a_panic_in_a_callback_is_told_and_the_connection_lives() {
    let host = Host::start(BACKENDS[0]);
    let log = Arc::new(Log::default());
    let peers = Peers::builder().runtime(host.runtime()).observer(Arc::clone(&log) as _).build();
    let outcome = host.in_task({
        let log = Arc::clone(&log);
        async move {
            let options = PeerOptions::new().id("a");
            let peer =
                webrtc::open(&peers, builder(), |_| Arc::new(Panics), options).await.unwrap();
            peer.create_data_channel("x", None).await.unwrap();
            let offer = peer.create_offer(None).await.unwrap();
            peer.set_local_description(offer).await.unwrap();
            while log.of("a", "panicked").is_empty() {
                async_io::Timer::after(Duration::from_millis(1)).await;
            }
            peer.close().await
        }
    });
    assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful), "expected the driver to have lived");
    let expected = ["a on_signaling_state_change panicked: deliberate panic in a callback"];
    assert_eq!(log.of("a", "panicked"), expected);
}

#[test]
fn a_peer_whose_runtime_is_dropped_is_told_closed_at_once_and_reported_when_asked() {
    let host = Host::start(crate::host::Backend::Executor);
    let log = Arc::new(Log::default());
    let peers = Peers::builder().runtime(host.runtime()).observer(Arc::clone(&log) as _).build();
    let set = peers.clone();
    let (peer, _seen) =
        host.in_task(async move { open(&set, PeerOptions::new().id("a")).await.unwrap() });
    host.stop().drop();
    let closed = peer.clone();
    let mut ended = anypeer::runtime::run(async move { closed.closed().await }).unwrap();
    assert_eq!(ended.wait(Duration::from_secs(5)).unwrap(), Ok(CloseReason::Ended));
    let gone = CloseMode::Forced(ForceCause::RuntimeGone);
    assert_eq!(peer.close_mode(), Some(gone.clone()));
    assert_eq!(log.of("a", "closed").len(), 1, "expected Closed to be told before anybody asks");
    assert!(peers.is_empty());
    let asked = peer.close().wait(Duration::from_secs(5));
    assert_eq!(asked, Ok(Outcome::Closed(gone)), "expected the first to ask to be told how");
    assert_eq!(peer.close().wait(Duration::from_secs(5)), Ok(Outcome::AlreadyClosed));
    assert_eq!(log.of("a", "closed").len(), 1, "expected no second Closed");
}

/// Takes its time to hear that all are closed.
#[derive(Default)]
struct HearsSlowly(AtomicBool);

impl Observer for HearsSlowly {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::OperationEnded { operation: "close_all", .. } = event.kind {
            std::thread::sleep(Duration::from_millis(100));
            self.0.store(true, Ordering::Release);
        }
    }
}

#[test]
fn the_close_of_all_is_told_before_whoever_waits_for_it_goes_on() {
    on_all_at_once(|backend, host| {
        let slow = Arc::new(HearsSlowly::default());
        let observer = Arc::clone(&slow) as Arc<dyn Observer>;
        let peers = Peers::builder().runtime(host.runtime()).observer(observer).build();
        host.in_task(async move {
            let _one = open(&peers, PeerOptions::new()).await.expect("opens");
            let _other = open(&peers, PeerOptions::new()).await.expect("opens");
            assert!(peers.close_all().await.all_closed());
            assert!(slow.0.load(Ordering::Acquire), "expected its end to be told, on {backend:?}");
        });
    });
}

#[test]
fn an_observer_that_panics_harms_nobody() {
    struct Hostile;
    impl Observer for Hostile {
        fn on_event(&self, _event: &Event<'_>) {
            panic!("deliberate panic of an observer");
        }
    }
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).observer(Arc::new(Hostile)).build();
    let outcome = host.in_task(async move {
        let (peer, _) = open(&peers, PeerOptions::new()).await.unwrap();
        peer.close().await
    });
    assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful));
    let _ = live_objects();
}
