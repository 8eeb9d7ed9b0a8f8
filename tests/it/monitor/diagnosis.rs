//! Why a connection failed, as it is seen on real peers.

use std::sync::Arc;
use std::time::Duration;

use anypeer::monitor::{Cause, ConnectionInfo, Monitor, Stage, TimelineEvent};
use anypeer::peer::{CloseReason, ReaperOptions};
use anypeer::webrtc::Peer;
use anypeer::webrtc::peer_connection::RTCSessionDescription;
use anypeer::{PeerOptions, Peers};

use super::until;
use crate::support::host::on_all_at_once;
use crate::support::loopback::{Seen, connect, open};
use crate::support::proxy::Proxy;

async fn offer(offerer: &Peer, seen: &Seen) -> RTCSessionDescription {
    offerer.create_data_channel("data", None).await.expect("a channel");
    let offer = offerer.create_offer(None).await.expect("an offer");
    offerer.set_local_description(offer).await.expect("it is set");
    seen.gathered.wait().await;
    offerer.local_description().await.expect("open").expect("it was set")
}

async fn answer(
    answerer: &Peer,
    seen: &Seen,
    offer: RTCSessionDescription,
) -> RTCSessionDescription {
    answerer.set_remote_description(offer).await.expect("it is set");
    let answer = answerer.create_answer(None).await.expect("an answer");
    answerer.set_local_description(answer).await.expect("it is set");
    seen.gathered.wait().await;
    answerer.local_description().await.expect("open").expect("it was set")
}

#[cfg(feature = "test-util")]
#[test]
fn a_peer_that_never_answers_is_negotiation_incomplete() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let clock = anypeer::test_util::ManualClock::new();
        let runtime = clock.runtime(host.runtime());
        let peers = Peers::builder().runtime(runtime).monitor(&monitor).build();
        let watch = monitor.clone();
        let info = host.in_task(async move {
            let (peer, seen) = open(&peers, PeerOptions::new().id("a")).await.expect("opens");
            offer(&peer, &seen).await;
            clock.advance(Duration::from_secs(60));
            until(&watch, "a", "closed", |info| info.end.is_some()).await
        });
        let end = info.end.as_ref().expect("it has ended");
        assert_eq!(end.reason, CloseReason::NeverConnected, "on {backend:?}");
        let diagnosis = info.diagnosis.as_ref().expect("there is something to explain");
        assert_eq!(diagnosis.cause, Cause::NegotiationIncomplete, "on {backend:?}: {diagnosis}");
        assert_eq!((diagnosis.stage, diagnosis.confidence), (Stage::Negotiation, 1.0));
        assert!(diagnosis.evidence[0].contains("no remote description"), "{diagnosis}");
    });
}

/// The description with another fingerprint than its certificate's.
fn with_wrong_fingerprint(offer: &RTCSessionDescription) -> RTCSessionDescription {
    const PREFIX: &str = "a=fingerprint:sha-256 ";
    let at = offer.sdp.find(PREFIX).expect("it has one") + PREFIX.len();
    let wrong = if &offer.sdp[at..at + 2] == "00" { "11" } else { "00" };
    let sdp = format!("{}{wrong}{}", &offer.sdp[..at], &offer.sdp[at + 2..]);
    RTCSessionDescription::offer(sdp).expect("it can be parsed")
}

#[test]
fn a_wrong_fingerprint_is_seen_by_the_alert_that_it_comes_to() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let reaper = ReaperOptions::new().never_connected(Some(Duration::from_secs(3)));
        let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).reaper(reaper);
        let (peers, watch) = (peers.build(), monitor.clone());
        let infos = host.in_task(async move {
            let (a, a_seen) = open(&peers, PeerOptions::new().id("a")).await.expect("opens");
            let (b, b_seen) = open(&peers, PeerOptions::new().id("b")).await.expect("opens");
            let wrong = with_wrong_fingerprint(&offer(&a, &a_seen).await);
            let answer = answer(&b, &b_seen, wrong).await;
            a.set_remote_description(answer).await.expect("it is set");
            let closed = |info: &ConnectionInfo| info.end.is_some();
            [until(&watch, "a", "closed", closed).await, until(&watch, "b", "closed", closed).await]
        });
        for info in infos {
            // Whichever is closed first says goodbye to the other.
            let reason = info.end.as_ref().map(|end| end.reason).expect("it has ended");
            assert!(
                matches!(reason, CloseReason::NeverConnected | CloseReason::RemoteClosed),
                "on {backend:?}: {reason}"
            );
            let diagnosis = info.diagnosis.as_ref().expect("there is something to explain");
            let why = format!("on {backend:?}, {}: {diagnosis}", info.id);
            assert_eq!(diagnosis.cause, Cause::DtlsFingerprint, "{why}");
            assert_eq!(diagnosis.stage, Stage::Dtls, "{why}");
            assert!(diagnosis.evidence.iter().any(|it| it.contains("bad_certificate")), "{why}");
            let alert = |what: &TimelineEvent| {
                matches!(what, TimelineEvent::DtlsAlert { description: 42, .. })
            };
            assert!(info.timeline.iter().any(|(_, what)| alert(what)), "{why}");
        }
    });
}

#[test]
fn a_remote_side_that_vanishes_is_consent_expired_and_one_that_closes_is_remote_closed() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let proxy = Arc::new(Proxy::start().expect("sockets"));
        let reaper = ReaperOptions::new().disconnected(Some(Duration::from_secs(3)));
        let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).reaper(reaper);
        let (peers, watch, through) = (peers.build(), monitor.clone(), Arc::clone(&proxy));
        let (vanished, told) = host.in_task(async move {
            let options = |id: &str| PeerOptions::new().id(id);
            // One pair whose network goes.
            let (a, a_seen) = open(&peers, options("vanished")).await.expect("opens");
            let (b, b_seen) = open(&peers, options("b")).await.expect("opens");
            let offer_of_a = offer(&a, &a_seen).await;
            let offer = through.description(0, &offer_of_a.sdp);
            let offer = RTCSessionDescription::offer(offer).expect("it can be parsed");
            let answer = through.description(1, &answer(&b, &b_seen, offer).await.sdp);
            let answer = RTCSessionDescription::answer(answer).expect("it can be parsed");
            a.set_remote_description(answer).await.expect("it is set");
            a_seen.connected.wait().await;
            through.cut(true);
            // One pair of which a side closes.
            let (c, c_seen) = open(&peers, options("told")).await.expect("opens");
            let (d, d_seen) = open(&peers, options("d")).await.expect("opens");
            connect((&c, &c_seen), (&d, &d_seen)).await.expect("connects");
            assert!(d.close().await.is_closed());
            let told = until(&watch, "told", "closed", |info| info.end.is_some()).await;
            let vanished = until(&watch, "vanished", "closed", |info| info.end.is_some()).await;
            (vanished, told)
        });
        let reason = |info: &ConnectionInfo| info.end.as_ref().map(|end| end.reason);
        let diagnosis = vanished.diagnosis.as_ref().expect("there is something to explain");
        assert_eq!(reason(&vanished), Some(CloseReason::Disconnected), "on {backend:?}");
        assert_eq!(diagnosis.cause, Cause::ConsentExpired, "on {backend:?}: {diagnosis}");
        assert_eq!(diagnosis.stage, Stage::Connected, "on {backend:?}: {diagnosis}");
        let diagnosis = told.diagnosis.as_ref().expect("there is something to explain");
        assert_eq!(reason(&told), Some(CloseReason::RemoteClosed), "on {backend:?}");
        assert_eq!(diagnosis.cause, Cause::RemoteClosed, "on {backend:?}: {diagnosis}");
        drop(proxy);
    });
}

#[test]
fn a_connection_closed_before_it_had_the_time_is_explained_with_less_confidence() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
        let (peer, _) = host
            .in_task(async move {
                open(&peers, PeerOptions::new().id("a")).await.map_err(|error| error.to_string())
            })
            .expect("opens");
        let outcome = host.in_task(async move { peer.close().await });
        assert!(outcome.is_closed());
        let info = monitor.connection("a").expect("it is still known");
        let diagnosis = info.diagnosis.expect("it never connected");
        let said = (diagnosis.cause, diagnosis.confidence);
        assert_eq!(said, (Cause::NegotiationIncomplete, 0.5), "on {backend:?}");
    });
}
