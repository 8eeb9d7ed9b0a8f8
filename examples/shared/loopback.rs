//! Real peers over loopback: the handshake, in one process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anypeer::runtime::BoxFuture;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};
use anypeer::webrtc::{self, MulticastDnsMode, OpenError, OperationError, Peer};
use anypeer::{PeerOptions, Peers};
use event_listener::Event;

/// An error of the handshake.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Something that happens once, and that tasks wait for.
#[derive(Default)]
pub(crate) struct Flag {
    raised: AtomicBool,
    event: Event,
}

impl Flag {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    pub(crate) async fn wait(&self) {
        while !self.raised.load(Ordering::Acquire) {
            let listener = self.event.listen();
            if !self.raised.load(Ordering::Acquire) {
                listener.await;
            }
        }
    }
}

/// What to do inside a callback.
pub(crate) type Hook = Box<dyn FnOnce() -> BoxFuture + Send>;

/// What a handler saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) gathered: Flag,
    pub(crate) connected: Flag,
    pub(crate) channel: Flag,
    pub(crate) channels: Mutex<Vec<Arc<dyn DataChannel>>>,
    /// What to do inside the next `on_data_channel`.
    pub(crate) hook: Mutex<Option<Hook>>,
    /// How often Closed was told.
    pub(crate) closed: AtomicUsize,
}

/// How many handlers there are, counted by their own drop.
pub(crate) static HANDLERS: AtomicUsize = AtomicUsize::new(0);

/// The application's handler: it records.
pub(crate) struct Recorder {
    seen: Arc<Seen>,
}

impl Recorder {
    pub(crate) fn new(seen: Arc<Seen>) -> Arc<Self> {
        HANDLERS.fetch_add(1, Ordering::AcqRel);
        Arc::new(Self { seen })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        HANDLERS.fetch_sub(1, Ordering::AcqRel);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Recorder {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.seen.gathered.raise();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.seen.connected.raise(),
            RTCPeerConnectionState::Closed => {
                self.seen.closed.fetch_add(1, Ordering::AcqRel);
            }
            _ => {}
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.seen.channels.lock().unwrap().push(channel);
        self.seen.channel.raise();
        let hook = self.seen.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook().await;
        }
    }
}

/// Beyond it a sender waits. Without it a long transfer overruns the sockets, and is resent.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// A builder for a connection on loopback, without mDNS.
pub(crate) fn builder() -> PeerConnectionBuilder<&'static str> {
    let settings =
        SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
    PeerConnectionBuilder::new()
        .with_setting_engine(settings)
        .with_data_channel_send_buffer_limit(SEND_BUFFER_BYTES)
        .with_udp_addrs(vec!["127.0.0.1:0"])
}

/// Opens a peer that records.
pub(crate) async fn open(
    peers: &Peers,
    options: PeerOptions,
) -> Result<(Peer, Arc<Seen>), OpenError> {
    let seen = Arc::new(Seen::default());
    let handler = Recorder::new(Arc::clone(&seen));
    Ok((webrtc::open(peers, builder(), |_| handler, options).await?, seen))
}

/// Connects `offerer` to `answerer` through a new data channel, which is returned once it is open.
pub(crate) async fn connect(
    (offerer, offerer_seen): (&Peer, &Seen),
    (answerer, answerer_seen): (&Peer, &Seen),
) -> Result<Arc<dyn DataChannel>, Error> {
    let channel = offerer.create_data_channel("data", None).await?;
    offerer.set_local_description(offerer.create_offer(None).await?).await?;
    offerer_seen.gathered.wait().await;
    answerer.set_remote_description(described(offerer).await?).await?;
    answerer.set_local_description(answerer.create_answer(None).await?).await?;
    answerer_seen.gathered.wait().await;
    offerer.set_remote_description(described(answerer).await?).await?;
    answerer_seen.channel.wait().await;
    loop {
        match channel.poll().await {
            Some(DataChannelEvent::OnOpen) => return Ok(channel),
            Some(_) => {}
            None => return Err("the channel ended before it opened".into()),
        }
    }
}

async fn described(peer: &Peer) -> Result<RTCSessionDescription, OperationError> {
    Ok(peer.local_description().await?.expect("a local description was set"))
}

/// Two connected peers, and the channel between them.
pub(crate) struct Pair {
    pub(crate) offerer: Peer,
    pub(crate) answerer: Peer,
    pub(crate) answerer_seen: Arc<Seen>,
    /// The offerer's end.
    pub(crate) channel: Arc<dyn DataChannel>,
}

impl Pair {
    /// Opens and connects two peers.
    pub(crate) async fn open(
        peers: &Peers,
        offerer: PeerOptions,
        answerer: PeerOptions,
    ) -> Result<Self, Error> {
        Self::connect(open(peers, offerer).await?, open(peers, answerer).await?).await
    }

    /// Connects two peers.
    pub(crate) async fn connect(
        (offerer, offerer_seen): (Peer, Arc<Seen>),
        (answerer, answerer_seen): (Peer, Arc<Seen>),
    ) -> Result<Self, Error> {
        let channel = connect((&offerer, &offerer_seen), (&answerer, &answerer_seen)).await?;
        Ok(Self { offerer, answerer, answerer_seen, channel })
    }
}
