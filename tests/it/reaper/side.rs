//! Real peers that negotiate data, media, or both, and a handler that writes down their states.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::webrtc::data_channel::DataChannel;
use anypeer::webrtc::media_stream::MediaStreamTrack;
use anypeer::webrtc::media_stream::track_local::TrackLocal;
use anypeer::webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use anypeer::webrtc::media_stream::track_remote::TrackRemote;
use anypeer::webrtc::peer_connection::{
    MediaEngine, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};
use anypeer::webrtc::{self, MulticastDnsMode, Peer, RtpCodecKind};
use anypeer::{PeerOptions, Peers};
use event_listener::Event;
use futures::future::select;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters,
};

use super::PATIENCE;
use crate::support::poll::within;

/// A handler that writes down the states.
#[derive(Default)]
pub(super) struct Witness {
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

pub(super) struct Shared(pub(super) Arc<Witness>);

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
    pub(super) async fn was(&self, state: RTCPeerConnectionState, times: usize) {
        self.until(&format!("{state} {times} times"), |own| {
            own.states.lock().unwrap().iter().filter(|known| **known == state).count() >= times
        })
        .await;
    }
}

/// What a pair negotiates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negotiates {
    Data,
    Media,
    Both,
}

pub(super) struct Side {
    pub(super) peer: Peer,
    pub(super) witness: Arc<Witness>,
}

pub(super) fn builder(settings: SettingEngineBuilder) -> PeerConnectionBuilder<&'static str> {
    let mut media = MediaEngine::default();
    media.register_default_codecs().expect("the default codecs");
    PeerConnectionBuilder::new()
        .with_setting_engine(settings.with_multicast_dns_mode(MulticastDnsMode::Disabled).build())
        .with_media_engine(media)
        .with_udp_addrs(vec!["127.0.0.1:0"])
}

pub(super) async fn open(peers: &Peers, options: PeerOptions) -> Side {
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
pub(super) async fn negotiate(
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
pub(super) async fn connect(
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

pub(super) fn untouched(_side: usize, sdp: &str) -> String {
    sdp.to_owned()
}
