//! The handler of a session: it echoes data channel messages, and receives and discards media.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_lock::SemaphoreGuardArc;

use crate::webrtc::data_channel::{DataChannel, DataChannelEvent};
use crate::webrtc::error::Error;
use crate::webrtc::media_stream::track_remote::TrackRemote;
use crate::webrtc::peer_connection::PeerConnectionEventHandler;
use crate::webrtc::{WeakPeer, async_trait};

/// The handler of a session's peer. It does not own the peer.
pub(super) struct Echo {
    peer: WeakPeer,
    channels: AtomicUsize,
    /// The permit of the session. It is freed with the handler, which is dropped when the peer
    /// closes.
    _place: SemaphoreGuardArc,
}

impl Echo {
    pub(super) fn new(peer: WeakPeer, place: SemaphoreGuardArc) -> Self {
        Self { peer, channels: AtomicUsize::new(0), _place: place }
    }
}

/// The limit of data channels per session, more than a client needs.
const MAX_CHANNELS: usize = 64;

#[async_trait]
impl PeerConnectionEventHandler for Echo {
    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let Some(peer) = self.peer.upgrade() else { return };
        if self.channels.fetch_add(1, Ordering::Relaxed) < MAX_CHANNELS {
            drop(peer.tasks().task("echo").try_spawn(echo(channel)));
        } else {
            // Closing a channel waits for the driver, which waits for this callback to return.
            drop(peer.tasks().track(async move { channel.close().await }));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if let Some(peer) = self.peer.upgrade() {
            // Packets must be taken from the track; the connection itself counts them.
            drop(
                peer.tasks().spawn("receive", async move { while track.poll().await.is_some() {} }),
            );
        }
    }
}

/// Echoes the messages of a data channel until it closes.
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
