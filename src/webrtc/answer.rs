//! Answering whoever offers: what comes through data channels is echoed, and media is received.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ::webrtc::data_channel::{DataChannel, DataChannelEvent};
use ::webrtc::error::Error;
use ::webrtc::media_stream::track_remote::TrackRemote;
use ::webrtc::peer_connection::{
    MediaEngine, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCIceGatheringState, RTCSessionDescription, Registry, SettingEngineBuilder,
    register_default_interceptors,
};
use futures::FutureExt;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::transport::RTCDtlsRole;

use super::call::OperationError;
use super::open::{OpenError, open};
use super::peer::Peer;
use crate::peer::{InsertError, PeerOptions, Peers, ReaperOptions, WeakPeer};
use crate::runtime::time;
use crate::sync::Completion;

/// How an offer is answered.
pub(crate) struct AnswerOptions {
    /// Where the connection's socket is bound.
    pub(crate) address: IpAddr,
    pub(crate) group: String,
    /// How long the connection may take to come about after the answer.
    pub(crate) connect_within: Duration,
    /// How long the answer may take.
    pub(crate) timeout: Duration,
}

/// Why there is no answer; nothing is left of the connection then.
#[derive(Debug)]
pub(crate) enum AnswerError {
    /// There are too many peers, or the set takes no more.
    Insert(InsertError),
    /// The connection could not be built, or was closed meanwhile.
    Open(OpenError),
    /// The offer cannot be answered, for this.
    Offer(String),
    TimedOut,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Offer(reason) => write!(f, "the offer cannot be answered: {reason}"),
            Self::TimedOut => f.write_str("the answer took too long"),
        }
    }
}

/// Socket send buffers beyond this make a sender wait.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// Answers `offer` with a new peer of `peers`, which has gathered its candidates by then.
///
/// Dropped at any point, it leaves nothing.
pub(crate) async fn answer(
    peers: &Peers,
    offer: String,
    options: AnswerOptions,
) -> Result<(Peer, String), AnswerError> {
    let deadline = time::after(Instant::now(), options.timeout);
    let handler = Arc::new(Answering::default());
    let reaper = ReaperOptions::new().never_connected(Some(options.connect_within));
    let peer_options = PeerOptions::new().group(options.group).reaper(reaper);
    let builder =
        builder(options.address).map_err(|error| AnswerError::Open(OpenError::Build(error)))?;
    let opened = open(peers, builder, Arc::clone(&handler) as _, peer_options).await;
    let peer = opened.map_err(|error| match error {
        OpenError::Insert(error) => AnswerError::Insert(error),
        other => AnswerError::Open(other),
    })?;
    handler.peer.get_or_init(|| peer.downgrade());
    let negotiated = {
        let negotiating = negotiate(&peer, &handler, offer);
        // Anybody's text is parsed there.
        let negotiating = Box::pin(AssertUnwindSafe(negotiating).catch_unwind());
        time::by(deadline, negotiating).await
    };
    let refused = match negotiated {
        Some(Ok(Ok(answer))) => return Ok((peer, answer)),
        Some(Ok(Err(error))) => AnswerError::Offer(error.to_string()),
        Some(Err(_panic)) => AnswerError::Offer("it makes no sense".to_owned()),
        None => AnswerError::TimedOut,
    };
    peer.close().await;
    Err(refused)
}

async fn negotiate(
    peer: &Peer,
    handler: &Answering,
    offer: String,
) -> Result<String, OperationError> {
    peer.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    peer.set_local_description(peer.create_answer(None).await?).await?;
    handler.gathered.wait().await;
    let answer = peer.local_description().await?;
    Ok(answer.map(|answer| answer.sdp).unwrap_or_default())
}

/// Adds a candidate that came after the offer.
pub(crate) async fn add_candidate(
    peer: &Peer,
    mid: Option<&str>,
    candidate: &str,
    fragment: Option<&str>,
) -> Result<(), OperationError> {
    let candidate = RTCIceCandidateInit {
        candidate: candidate.to_owned(),
        sdp_mid: mid.map(str::to_owned),
        sdp_mline_index: None,
        username_fragment: fragment.map(str::to_owned),
        url: None,
    };
    let adding = AssertUnwindSafe(peer.add_ice_candidate(candidate)).catch_unwind();
    adding.await.unwrap_or(Err(OperationError::Webrtc(Error::ErrUnknownType)))
}

fn builder(address: IpAddr) -> Result<PeerConnectionBuilder<SocketAddr>, Error> {
    let mut media = MediaEngine::default();
    media.register_default_codecs()?;
    let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
    // A passive side of DTLS saves 190 ms of the setup (measured): the other begins at once.
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .build();
    Ok(PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_interceptor_registry(interceptors)
        .with_setting_engine(settings)
        .with_data_channel_send_buffer_limit(SEND_BUFFER_BYTES)
        .with_udp_addrs(vec![SocketAddr::new(address, 0)]))
}

/// The handler of a peer that answers. It does not own its peer.
#[derive(Default)]
struct Answering {
    peer: OnceLock<WeakPeer>,
    gathered: Completion<()>,
    channels: AtomicUsize,
}

/// More data channels than any client has use for.
const MAX_CHANNELS: usize = 64;

impl Answering {
    fn peer(&self) -> Option<crate::Peer> {
        self.peer.get().and_then(WeakPeer::upgrade)
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Answering {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.set(());
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let Some(peer) = self.peer() else { return };
        if self.channels.fetch_add(1, Ordering::Relaxed) < MAX_CHANNELS {
            drop(peer.tasks().task("echo").try_spawn(echo(channel)));
        } else {
            // Not here: that waits for the driver, which waits for this.
            drop(peer.tasks().track(async move { channel.close().await }));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if let Some(peer) = self.peer() {
            // What comes is counted by the connection itself; it only has to be taken.
            drop(
                peer.tasks().spawn("receive", async move { while track.poll().await.is_some() {} }),
            );
        }
    }
}

async fn echo(channel: Arc<dyn DataChannel>) -> Result<(), Error> {
    while let Some(event) = channel.poll().await {
        if let DataChannelEvent::OnMessage(message) = event {
            if message.is_string {
                channel.send_text(&String::from_utf8_lossy(&message.data)).await?;
            } else {
                channel.send(message.data).await?;
            }
        }
    }
    Ok(())
}
