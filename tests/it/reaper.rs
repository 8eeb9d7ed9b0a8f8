//! Peers that are closed without being asked, and those that are not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, CloseReason, Connection, ConnectionError, ReaperOptions};
use anypeer::runtime::{BoxFuture, Runtime};
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::media_stream::MediaStreamTrack;
use anypeer::webrtc::media_stream::track_local::TrackLocal;
use anypeer::webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use anypeer::webrtc::media_stream::track_remote::TrackRemote;
use anypeer::webrtc::peer_connection::{
    MediaEngine, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};
use anypeer::webrtc::{self, MulticastDnsMode, Peer, RTCSctpTransportState, RtpCodecKind};
use anypeer::{ConnectionState, PeerOptions, Peers};
use event_listener::Event;
use futures::future::{Either, join_all, select};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters,
};

use crate::host::{BACKENDS, Host, on_all_at_once};
use crate::process;
use crate::proxy::Proxy;

/// A goodbye must be noticed by then.
const NOTICED_WITHIN: Duration = Duration::from_millis(1500);

const PATIENCE: Duration = Duration::from_secs(20);

/// A handler that writes down the states.
#[derive(Default)]
struct Witness {
    gathered: AtomicUsize,
    tracks: AtomicUsize,
    states: Mutex<Vec<RTCPeerConnectionState>>,
    changed: Event,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Shared {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.gathered.fetch_add(1, Ordering::AcqRel);
            self.0.changed.notify(usize::MAX);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.0.states.lock().unwrap().push(state);
        self.0.changed.notify(usize::MAX);
    }

    async fn on_track(&self, _track: Arc<dyn TrackRemote>) {
        self.0.tracks.fetch_add(1, Ordering::AcqRel);
        self.0.changed.notify(usize::MAX);
    }
}

struct Shared(Arc<Witness>);

impl Witness {
    async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let waits = async {
            loop {
                let changed = self.changed.listen();
                if condition(self) {
                    return;
                }
                changed.await;
            }
        };
        let known = || self.states.lock().unwrap().clone();
        within(PATIENCE, waits).await.unwrap_or_else(|| panic!("expected {what}: {:?}", known()));
    }

    async fn gathered(&self, times: usize) {
        self.until("its candidates", |own| own.gathered.load(Ordering::Acquire) >= times).await;
    }

    /// Waits until the state has been `state` for the `times`th time.
    async fn was(&self, state: RTCPeerConnectionState, times: usize) {
        self.until(&format!("{state} {times} times"), |own| {
            own.states.lock().unwrap().iter().filter(|known| **known == state).count() >= times
        })
        .await;
    }
}

/// `None` if it takes longer.
async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(future), async_io::Timer::after(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// What a pair negotiates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Negotiates {
    Data,
    Media,
    Both,
}

struct Side {
    peer: Peer,
    witness: Arc<Witness>,
}

fn builder(settings: SettingEngineBuilder) -> PeerConnectionBuilder<&'static str> {
    let mut media = MediaEngine::default();
    media.register_default_codecs().expect("the default codecs");
    PeerConnectionBuilder::new()
        .with_setting_engine(settings.with_multicast_dns_mode(MulticastDnsMode::Disabled).build())
        .with_media_engine(media)
        .with_udp_addrs(vec!["127.0.0.1:0"])
}

async fn open(peers: &Peers, options: PeerOptions) -> Side {
    let witness = Arc::new(Witness::default());
    let handler = Arc::new(Shared(Arc::clone(&witness)));
    let builder = builder(SettingEngineBuilder::new());
    Side { peer: webrtc::open(peers, builder, |_| handler, options).await.expect("opens"), witness }
}

async fn local(side: &Side) -> RTCSessionDescription {
    side.peer.local_description().await.expect("open").expect("it was set")
}

/// Offers and answers, for the `time`th time; `carry` makes of a side's description what the other
/// side gets.
async fn negotiate(
    offerer: &Side,
    answerer: &Side,
    time: usize,
    carry: impl Fn(usize, &str) -> String,
) {
    let offer = offerer.peer.create_offer(None).await.expect("an offer");
    offerer.peer.set_local_description(offer).await.expect("it is its own");
    offerer.witness.gathered(time).await;
    let offer = carry(0, &local(offerer).await.sdp);
    let offer = RTCSessionDescription::offer(offer).expect("an offer");
    answerer.peer.set_remote_description(offer).await.expect("it is taken");
    let answer = answerer.peer.create_answer(None).await.expect("an answer");
    answerer.peer.set_local_description(answer).await.expect("it is its own");
    answerer.witness.gathered(time).await;
    let answer = carry(1, &local(answerer).await.sdp);
    let answer = RTCSessionDescription::answer(answer).expect("an answer");
    offerer.peer.set_remote_description(answer).await.expect("it is taken");
}

const SSRC: u32 = 0x5eed;

/// A track of audio to send.
fn audio() -> Arc<TrackLocalStaticRTP> {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec: RTCRtpCodec {
            mime_type: String::from("audio/opus"),
            clock_rate: 48_000,
            channels: 2,
            ..Default::default()
        },
        ..Default::default()
    };
    let (stream, track) = (String::from("stream"), String::from("audio"));
    let label = track.clone();
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        stream,
        track,
        label,
        RtpCodecKind::Audio,
        vec![coding],
    )))
}

/// Sends audio until the other side has seen it.
async fn play(track: &TrackLocalStaticRTP, to: &Witness) {
    let seen = to.until("a track", |own| own.tracks.load(Ordering::Acquire) > 0);
    let plays = async {
        for sequence_number in 0.. {
            let header = rtc::rtp::Header {
                version: 2,
                payload_type: 111,
                sequence_number,
                timestamp: 960 * u32::from(sequence_number),
                ssrc: SSRC,
                ..Default::default()
            };
            let payload = vec![0xf8; 20].into();
            track.write_rtp(rtc::rtp::Packet { header, payload }).await.expect("it is sent");
            async_io::Timer::after(Duration::from_millis(20)).await;
        }
    };
    select(std::pin::pin!(seen), std::pin::pin!(plays)).await;
}

/// Connects the two; the answer is their data channel, if they have one.
async fn connect(
    offerer: &Side,
    answerer: &Side,
    negotiates: Negotiates,
    carry: impl Fn(usize, &str) -> String,
) -> Option<Arc<dyn DataChannel>> {
    let (mut channel, track) = (None, audio());
    if negotiates != Negotiates::Media {
        let created = offerer.peer.create_data_channel("data", None).await;
        channel = Some(created.expect("a channel"));
    }
    if negotiates != Negotiates::Data {
        let added = offerer.peer.add_track(Arc::clone(&track) as _).await;
        added.expect("a sender");
    }
    negotiate(offerer, answerer, 1, carry).await;
    offerer.witness.was(RTCPeerConnectionState::Connected, 1).await;
    answerer.witness.was(RTCPeerConnectionState::Connected, 1).await;
    if negotiates != Negotiates::Data {
        play(&track, &answerer.witness).await;
    }
    channel
}

fn untouched(_side: usize, sdp: &str) -> String {
    sdp.to_owned()
}

/// Connects two peers, lets one go, and says what the other made of it, and when.
async fn part(
    runtime: Runtime,
    negotiates: Negotiates,
    offerer_goes: bool,
) -> (Duration, Option<CloseReason>, Option<CloseMode>) {
    let offering = Peers::builder().runtime(runtime.clone()).build();
    let answering = Peers::builder().runtime(runtime).build();
    let offerer = open(&offering, PeerOptions::new()).await;
    let answerer = open(&answering, PeerOptions::new()).await;
    let _channel = connect(&offerer, &answerer, negotiates, untouched).await;
    let (goes, stays) = if offerer_goes { (offering, answerer) } else { (answering, offerer) };
    let start = Instant::now();
    goes.close_all().await;
    let reason = within(PATIENCE, stays.peer.closed()).await;
    (start.elapsed(), reason, stays.peer.close_mode())
}

#[test]
fn a_goodbye_is_noticed_in_time_by_senders_and_receivers_of_data_and_of_media() {
    let _alone = process::LOAD.lock().unwrap_or_else(PoisonError::into_inner);
    let ways: Vec<_> = [Negotiates::Data, Negotiates::Media, Negotiates::Both]
        .into_iter()
        .flat_map(|negotiates| [(negotiates, false), (negotiates, true)])
        .collect();
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let runtime = host.runtime();
        let parting: Vec<_> =
            ways.iter().map(|&(what, goes)| Box::pin(part(runtime.clone(), what, goes))).collect();
        let saw = host.in_task(join_all(parting));
        for ((negotiates, offerer_goes), (took, reason, closure)) in ways.iter().zip(saw) {
            let stays = if *offerer_goes { "answerer" } else { "offerer" };
            let what = format!("{negotiates:?}, {stays} stays, on {backend:?}");
            assert_eq!(reason, Some(CloseReason::RemoteClosed), "{what}");
            assert_eq!(closure, Some(CloseMode::Graceful), "{what}");
            assert!(
                took < NOTICED_WITHIN,
                "expected it within {NOTICED_WITHIN:?}, and it took {took:?}: {what}"
            );
            println!("{what}: noticed in {} ms", took.as_millis());
        }
    }
}

#[test]
fn a_goodbye_is_left_to_the_application_where_the_reaper_is_off() {
    let host = Host::start(BACKENDS[0]);
    let ours = Peers::builder().runtime(host.runtime()).reaper(ReaperOptions::off()).build();
    let theirs = Peers::builder().runtime(host.runtime()).build();
    let closed = host.in_task(async move {
        let offerer = open(&ours, PeerOptions::new()).await;
        let answerer = open(&theirs, PeerOptions::new()).await;
        let _channel = connect(&offerer, &answerer, Negotiates::Data, untouched).await;
        theirs.close_all().await;
        within(2 * NOTICED_WITHIN, offerer.peer.closed()).await
    });
    assert_eq!(closed, None, "expected it to be left open");
}

/// Takes the data out of an offer, so that who answers it has none. `webrtc` would start an
/// association also for data that it rejected.
fn without_data(offer: &str) -> String {
    let (rest, data) = offer.split_at(offer.find("m=application ").expect("there is data"));
    assert!(!data[1..].contains("\nm="), "expected the data to come last: {offer}");
    let mid = data.lines().find_map(|line| line.strip_prefix("a=mid:")).expect("it has a mid");
    let lines = rest.lines().map(|line| match line.strip_prefix("a=group:BUNDLE ") {
        Some(bundled) => {
            let kept: Vec<_> = bundled.split(' ').filter(|other| *other != mid).collect();
            format!("a=group:BUNDLE {}\r\n", kept.join(" "))
        }
        None => format!("{line}\r\n"),
    });
    lines.collect()
}

/// Rejects in an answer the data that was offered (RFC 8829, section 5.3.1): port zero, and out of
/// the bundle.
fn with_data_rejected(answer: &str, mid: &str) -> String {
    let rejected = format!(
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=mid:{mid}\r\na=sctp-port:5000\r\n"
    );
    answer.to_owned() + &rejected
}

async fn is_associated(side: &Side) -> bool {
    match side.peer.sctp().await.expect("open") {
        Some(sctp) => sctp.state().await.is_ok_and(|it| it == RTCSctpTransportState::Connected),
        None => false,
    }
}

#[test]
fn a_peer_whose_data_was_merely_rejected_is_left_alone_until_a_goodbye() {
    let _alone = process::LOAD.lock().unwrap_or_else(PoisonError::into_inner);
    on_all_at_once(|backend, host| {
        let ours = Peers::builder().runtime(host.runtime()).build();
        let theirs = Peers::builder().runtime(host.runtime()).build();
        let (early, reason) = host.in_task(async move {
            let offerer = open(&ours, PeerOptions::new()).await;
            let answerer = open(&theirs, PeerOptions::new()).await;
            let carry = |side, sdp: &str| match side {
                0 => without_data(sdp),
                _ => with_data_rejected(sdp, "1"),
            };
            let _channel = connect(&offerer, &answerer, Negotiates::Both, carry).await;
            let early = within(2 * NOTICED_WITHIN, offerer.peer.closed()).await;
            assert!(!is_associated(&offerer).await, "expected no association");
            theirs.close_all().await;
            (early, within(NOTICED_WITHIN, offerer.peer.closed()).await)
        });
        assert_eq!(early, None, "expected it to be left alone on {backend:?}");
        assert_eq!(reason, Some(CloseReason::RemoteClosed), "on {backend:?}");
    });
}

#[test]
fn an_ice_restart_after_eight_seconds_without_a_network_survives() {
    const AWAY: Duration = Duration::from_secs(8);
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let proxy = Arc::new(Proxy::start().expect("sockets"));
        let through = Arc::clone(&proxy);
        let states = host.in_task(async move {
            let carry = |side, sdp: &str| through.description(side, sdp);
            let offerer = open(&peers, PeerOptions::new()).await;
            let answerer = open(&peers, PeerOptions::new()).await;
            let channel = connect(&offerer, &answerer, Negotiates::Data, carry).await;
            let channel = channel.expect("there is data");
            while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
            through.cut(true);
            async_io::Timer::after(AWAY).await;
            offerer.witness.was(RTCPeerConnectionState::Disconnected, 1).await;
            answerer.witness.was(RTCPeerConnectionState::Disconnected, 1).await;
            through.cut(false);
            offerer.peer.restart_ice().await.expect("it restarts");
            negotiate(&offerer, &answerer, 2, carry).await;
            offerer.witness.was(RTCPeerConnectionState::Connected, 2).await;
            answerer.witness.was(RTCPeerConnectionState::Connected, 2).await;
            // The reaper has looked by then, and the channel works.
            async_io::Timer::after(NOTICED_WITHIN).await;
            channel.send_text("still here").await.expect("it is sent");
            [offerer.peer.connection_state(), answerer.peer.connection_state()]
        });
        assert_eq!(states, [Some(ConnectionState::Connected); 2], "on {backend:?}");
        drop(proxy);
    });
}

#[test]
fn what_is_disconnected_failed_or_never_connected_for_too_long_is_closed_as_that() {
    let second = Some(Duration::from_secs(1));
    on_all_at_once(|backend, host| {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let proxy = Arc::new(Proxy::start().expect("sockets"));
        let through = Arc::clone(&proxy);
        let reasons = host.in_task(async move {
            let quick = |reaper| {
                let settings = SettingEngineBuilder::new().with_ice_timeouts(
                    Some(Duration::from_secs(1)),
                    Some(Duration::from_secs(4)),
                    Some(Duration::from_millis(200)),
                );
                let witness = Arc::new(Witness::default());
                let handler = Arc::new(Shared(Arc::clone(&witness)));
                let options = PeerOptions::new().reaper(reaper);
                // A builder is large, and there are three.
                let opened =
                    Box::pin(webrtc::open(&peers, builder(settings), |_| handler, options));
                async move { Side { peer: opened.await.expect("opens"), witness } }
            };
            let off = ReaperOptions::off();
            let disconnected = quick(off.disconnected(Some(Duration::from_millis(100)))).await;
            let failed = quick(off.failed(second)).await;
            let alone = quick(off.never_connected(second)).await;
            let carry = |side, sdp: &str| through.description(side, sdp);
            let _channel = connect(&disconnected, &failed, Negotiates::Data, carry).await;
            through.cut(true);
            let reason = async |side: &Side| within(PATIENCE, side.peer.closed()).await;
            (reason(&disconnected).await, reason(&failed).await, reason(&alone).await)
        });
        assert_eq!(reasons.0, Some(CloseReason::Disconnected), "on {backend:?}");
        assert_eq!(reasons.1, Some(CloseReason::Failed), "on {backend:?}");
        assert_eq!(reasons.2, Some(CloseReason::NeverConnected), "on {backend:?}");
        drop(proxy);
    });
}

/// A connection that gives no answer when it is asked for a goodbye.
struct Rude {
    panics: bool,
    asked: AtomicUsize,
    state: Mutex<ConnectionState>,
}

impl Connection for Rude {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(async { Ok(Some(CloseMode::Graceful)) })
    }

    fn state(&self) -> Option<ConnectionState> {
        Some(*self.state.lock().unwrap())
    }

    fn remote_closed(self: Arc<Self>) -> BoxFuture<bool> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        if self.panics {
            // Without the hook, which would print it.
            std::panic::resume_unwind(Box::new("deliberate"));
        }
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_connection_that_does_not_answer_is_still_closed_by_the_other_rules() {
    let peers = Peers::builder().reaper(ReaperOptions::new().failed(Some(Duration::ZERO))).build();
    for panics in [true, false] {
        let (asked, state) = (AtomicUsize::new(0), Mutex::new(ConnectionState::Connected));
        let rude = Arc::new(Rude { panics, asked, state });
        let peer = peers.insert(Arc::clone(&rude) as _, PeerOptions::new()).expect("inserted");
        let closed = async {
            while rude.asked.load(Ordering::Acquire) == 0 {
                async_io::Timer::after(Duration::from_millis(10)).await;
            }
            *rude.state.lock().unwrap() = ConnectionState::Failed;
            within(PATIENCE, peer.closed()).await
        };
        let reason = futures::executor::block_on(closed);
        assert_eq!(reason, Some(CloseReason::Failed), "where it panics: {panics}");
    }
}
