//! Peers whose remote side has said goodbye, and some that only look like it.

use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, CloseReason, ReaperOptions};
use anypeer::runtime::Runtime;
use anypeer::webrtc::RTCSctpTransportState;
use anypeer::{PeerOptions, Peers};
use futures::future::join_all;

use super::side::{Negotiates, Side, connect, open, untouched};
use super::{NOTICED_WITHIN, PATIENCE};
use crate::support::host::{BACKENDS, Host, on_all_at_once};
use crate::support::poll::within;
use crate::support::process;

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
    let _alone = process::load();
    let ways: Vec<_> = [Negotiates::Data, Negotiates::Media, Negotiates::Both]
        .into_iter()
        .flat_map(|negotiates| [(negotiates, false), (negotiates, true)])
        .collect();
    on_all_at_once(|backend, host| {
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
    });
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
    let _alone = process::load();
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
