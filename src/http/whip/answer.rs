//! Answering whoever offers: what comes through data channels is echoed, and media is received.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;

use crate::peer::{InsertError, PeerOptions, Peers, ReaperOptions};
use crate::runtime::Clock;
use crate::webrtc::data_channel::{DataChannel, DataChannelEvent};
use crate::webrtc::error::Error;
use crate::webrtc::media_stream::track_remote::TrackRemote;
use crate::webrtc::peer_connection::{
    MediaEngine, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCSessionDescription, Registry, SettingEngineBuilder, register_default_interceptors,
};
use crate::webrtc::{
    self, Candidates, MulticastDnsMode, OpenError, OperationError, Peer, RTCDtlsRole, WeakPeer,
    async_trait,
};

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
    let clock = Clock::system();
    let deadline = clock.after(options.timeout);
    let reaper = ReaperOptions::new().never_connected(Some(options.connect_within));
    let peer_options = PeerOptions::new().group(options.group).reaper(reaper);
    let builder =
        builder(options.address).map_err(|error| AnswerError::Open(OpenError::Build(error)))?;
    let handler = |peer| Arc::new(Answering { peer, channels: AtomicUsize::new(0) }) as _;
    let opened = webrtc::open(peers, builder, handler, peer_options).await;
    let peer = opened.map_err(|error| match error {
        OpenError::Insert(error) => AnswerError::Insert(error),
        other => AnswerError::Open(other),
    })?;
    let negotiated = {
        let negotiating = async {
            let offer = RTCSessionDescription::offer(offer)?;
            webrtc::answer(&peer, offer, Candidates::Complete).await
        };
        // Anybody's text is parsed there.
        clock.by(deadline, Box::pin(AssertUnwindSafe(negotiating).catch_unwind())).await
    };
    let refused = match negotiated {
        Some(Ok(Ok(answer))) => return Ok((peer, answer.sdp)),
        Some(Ok(Err(OperationError::Webrtc(error)))) => AnswerError::Offer(error.to_string()),
        Some(Ok(Err(error))) => AnswerError::Offer(error.to_string()),
        Some(Err(_panic)) => AnswerError::Offer("it makes no sense".to_owned()),
        None => AnswerError::TimedOut,
    };
    peer.close().await;
    Err(refused)
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
struct Answering {
    peer: WeakPeer,
    channels: AtomicUsize,
}

/// More data channels than any client has use for.
const MAX_CHANNELS: usize = 64;

#[async_trait]
impl PeerConnectionEventHandler for Answering {
    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let Some(peer) = self.peer.upgrade() else { return };
        if self.channels.fetch_add(1, Ordering::Relaxed) < MAX_CHANNELS {
            drop(peer.tasks().task("echo").try_spawn(echo(channel)));
        } else {
            // Not here: that waits for the driver, which waits for this.
            drop(peer.tasks().track(async move { channel.close().await }));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if let Some(peer) = self.peer.upgrade() {
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
