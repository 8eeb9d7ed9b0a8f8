//! A WHIP session with the server.

use std::sync::Arc;

use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCSessionDescription, SettingEngineBuilder,
};
use anypeer::webrtc::{self, Candidates, MulticastDnsMode, Peer};
use anypeer::{PeerOptions, Peers};
use hyper::{Method, header};

use super::table::{Note, Tested};
use crate::client::{Client, Failure};

/// The name of the stream that every session uses.
pub(super) const STREAM: &str = "run-tests";
/// The number of messages that are sent and echoed.
const MESSAGES: usize = 100;

/// A session, as the client sees it.
pub(super) struct Session {
    /// The client's peer.
    pub(super) peer: Peer,
    channel: Arc<dyn DataChannel>,
    /// The path of the session's URL.
    pub(super) location: String,
}

impl Note for Session {
    fn note(&self) -> String {
        "connected".to_owned()
    }
}

/// A handler that does nothing.
struct Quiet;

impl PeerConnectionEventHandler for Quiet {}

impl Session {
    /// Offers a data channel and waits until it opens.
    pub(super) async fn open(client: &Client, peers: &Peers) -> Result<Self, Failure> {
        let settings =
            SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
        let builder = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_udp_addrs(vec!["127.0.0.1:0"]);
        let peer =
            webrtc::open(peers, builder, |_| Arc::new(Quiet) as _, PeerOptions::new()).await?;
        let channel = peer.create_data_channel("echo", None).await?;
        let offer = webrtc::offer(&peer, Candidates::Complete).await?;
        let answer =
            client.ask(Method::POST, &format!("/whip/{STREAM}"), &offer.sdp).await?.expect(201)?;
        let location = answer.header(&header::LOCATION)?.to_owned();
        let answer = RTCSessionDescription::answer(answer.text()?.to_owned())?;
        peer.set_remote_description(answer).await?;
        loop {
            match channel.poll().await {
                Some(DataChannelEvent::OnOpen) => return Ok(Self { peer, channel, location }),
                Some(_) => {}
                None => return Err("the channel closed before it opened".into()),
            }
        }
    }

    /// Checks that messages are echoed in order.
    pub(super) async fn echo(&self) -> Tested {
        for number in 0..MESSAGES {
            self.channel.send_text(&format!("message {number}")).await?;
        }
        for number in 0..MESSAGES {
            loop {
                match self.channel.poll().await {
                    Some(DataChannelEvent::OnMessage(message)) => {
                        if message.data != format!("message {number}").as_bytes() {
                            return Err(format!("expected message {number}, got another").into());
                        }
                        break;
                    }
                    Some(_) => {}
                    None => return Err(format!("it closed before message {number}").into()),
                }
            }
        }
        Ok(format!("{MESSAGES} messages echoed"))
    }
}
