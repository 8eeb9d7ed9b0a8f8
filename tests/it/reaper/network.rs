//! Peers whose network goes, for a while or for good.

use std::sync::Arc;
use std::time::Duration;

use anypeer::peer::{CloseReason, ReaperOptions};
use anypeer::webrtc;
use anypeer::webrtc::peer_connection::{RTCPeerConnectionState, SettingEngineBuilder};
use anypeer::{ConnectionState, PeerOptions, Peers};

use super::side::{Negotiates, Shared, Side, Witness, builder, connect, negotiate, open};
use super::{NOTICED_WITHIN, PATIENCE};
use crate::support::host::on_all_at_once;
use crate::support::loopback::opened;
use crate::support::poll::within;
use crate::support::proxy::Proxy;

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
            opened(&*channel).await.expect("it opens");
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
