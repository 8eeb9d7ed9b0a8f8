//! A life from its start to its end, as it is recorded.

use anypeer::monitor::{ConnectionInfo, Monitor, TimelineEvent};
use anypeer::peer::{CloseMode, CloseReason};
use anypeer::{
    CandidateType, ConnectionState, IceConnectionState, IceGatheringState, PeerOptions, Peers,
    Protocol, Side, SignalingState,
};

use super::until;
use crate::support::host::{Backend, Host, on_all_at_once};
use crate::support::loopback::Pair;

/// What the driver's callbacks have said, in their order.
fn callbacks(info: &ConnectionInfo) -> Vec<String> {
    let told = info.timeline.iter().map(|(_, what)| what).filter(|what| {
        !matches!(what, TimelineEvent::ChannelAdded { .. } | TimelineEvent::Released)
    });
    told.map(ToString::to_string).collect()
}

/// The order is that of the `webrtc` crate's callbacks (measured), with what was set by then.
fn is_recorded_from_start_to_close(backend: Backend, host: &Host) {
    let monitor = Monitor::new().expect("threads");
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    let watch = monitor.clone();
    host.in_task(async move {
        let offerer = PeerOptions::new().id("offerer").group("room");
        let pair = Pair::open(&peers, offerer, PeerOptions::new().id("answerer")).await;
        let pair = pair.expect("connects");
        let live = watch.summary();
        assert_eq!(live.states.live(), 2, "on {backend:?}");
        for peer in [&pair.offerer, &pair.answerer] {
            let connected = |info: &ConnectionInfo| info.selected_pair.is_some();
            until(&watch, peer.id().as_str(), "connected", connected).await;
        }
        assert!(pair.offerer.close().await.is_closed());
        assert!(pair.answerer.close().await.is_closed());
        drop(pair);
        let released = |info: &ConnectionInfo| info.released == Some(true);
        until(&watch, "offerer", "released", released).await;
        until(&watch, "answerer", "released", released).await;
    });

    let offerer = monitor.connection("offerer").expect("it is still known");
    let [local] = &offerer.local_candidates[..] else { panic!("expected one: {offerer:#?}") };
    let expected = [
        "opened",
        "negotiation needed",
        "signaling have-local-offer",
        "local offer",
        &format!("local candidate {local}"),
        "gathering complete",
        "signaling stable",
        "remote answer",
        "connection connecting",
        "ice checking",
        "ice connected",
        "connection connected",
        "closing: requested",
        "closed: requested",
    ];
    assert_eq!(callbacks(&offerer), expected, "on {backend:?}");
    let answerer = monitor.connection("answerer").expect("it is still known");
    let expected = [
        "opened".to_owned(),
        "signaling have-remote-offer".into(),
        "remote offer".into(),
        "connection connecting".into(),
        "signaling stable".into(),
        "local answer".into(),
        format!("local candidate {}", answerer.local_candidates[0]),
        "gathering complete".into(),
        "ice connected".into(),
        "connection connected".into(),
        "closing: requested".into(),
        "closed: requested".into(),
    ];
    // Checks may begin before or after its own candidates are gathered.
    let mut told = callbacks(&answerer);
    told.retain(|what| what != "ice checking");
    assert_eq!(told, expected, "on {backend:?}");

    for (info, other) in [(&offerer, &answerer), (&answerer, &offerer)] {
        assert_eq!(info.remote_candidates[0].port, other.local_candidates[0].port);
        let pair = info.selected_pair.as_ref().expect("a pair was in use");
        let (local, remote) = (pair.local.as_ref(), pair.remote.as_ref());
        let (local, remote) = (local.expect("known"), remote.expect("known"));
        assert_eq!(local.port, info.local_candidates[0].port, "on {backend:?}");
        assert_eq!(remote.port, other.local_candidates[0].port, "on {backend:?}");
        assert_eq!((local.kind, local.protocol), (CandidateType::Host, Protocol::Udp));
        assert_eq!(info.state, ConnectionState::Closed);
        assert_eq!(info.ice_state, IceConnectionState::Connected);
        assert_eq!(info.gathering_state, IceGatheringState::Complete);
        assert_eq!(info.signaling_state, SignalingState::Stable);
        let end = info.end.as_ref().expect("it has ended");
        assert_eq!((end.reason, &end.mode), (CloseReason::Requested, &Some(CloseMode::Graceful)));
        assert_eq!(info.diagnosis, None, "expected nothing to explain");
        assert_eq!(info.operations.in_flight(), 0);
        assert!(info.operations.completed >= 3, "{:?}", info.operations);
        let sides: Vec<_> = info.descriptions.iter().map(|it| it.side).collect();
        assert!(sides.contains(&Side::Local) && sides.contains(&Side::Remote), "{sides:?}");
        let stats = info.stats.as_ref().expect("it was sampled when it was connected");
        assert!(stats.selected_pair().is_some());
    }
    assert_eq!(offerer.group.as_ref().map(anypeer::GroupId::as_str), Some("room"));
    assert_eq!(offerer.data_channels[0].label.as_ref(), "data");
    assert_eq!(offerer.data_channels[0].side, Some(Side::Local));
    assert_eq!(answerer.data_channels[0].side, Some(Side::Remote));

    let summary = monitor.summary();
    assert_eq!((summary.states.total(), summary.states.closed), (2, 2), "on {backend:?}");
    assert_eq!(summary.unreleased, 0, "on {backend:?}");
    assert_eq!(summary.operations.in_flight(), 0, "on {backend:?}");
}

#[test]
fn an_offerer_and_an_answerer_are_recorded_from_start_to_close() {
    on_all_at_once(is_recorded_from_start_to_close);
}

#[test]
fn a_closed_connection_that_is_held_is_told_from_one_that_is_released() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
        let watch = monitor.clone();
        host.in_task(async move {
            let offerer = PeerOptions::new().id("offerer");
            let pair = Pair::open(&peers, offerer, PeerOptions::new()).await.expect("connects");
            let kept = pair.channel.clone();
            assert!(peers.close_all().await.all_closed());
            drop(pair);
            let held = watch.connection("offerer").expect("it is still known");
            assert_eq!(held.released, Some(false), "on {backend:?}");
            assert_eq!(held.retained_by.len(), 1, "expected the channel to be named: {held:#?}");
            drop(kept);
            until(&watch, "offerer", "released", |info| info.released == Some(true)).await;
            assert_eq!(watch.connection("offerer").map(|info| info.retained_by.len()), Some(0));
        });
        assert_eq!(monitor.summary().unreleased, 0, "on {backend:?}");
    });
}
