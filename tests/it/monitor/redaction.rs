//! Canaries: secrets that are planted, and found nowhere.

use std::sync::Arc;

use anypeer::monitor::Monitor;
use anypeer::webrtc;
use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, RTCConfigurationBuilder, RTCIceCandidateInit, RTCIceServer,
    SettingEngineBuilder,
};
use anypeer::webrtc::{MulticastDnsMode, OperationError};
use anypeer::{PeerOptions, Peers};

use super::until;
use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::{Recorder, Seen};
#[cfg(feature = "log")]
use crate::support::{folder::Folder, poll::block_on};

const TURN_CREDENTIAL: &str = "canary-credential-4711";
const TURN_USER: &str = "canary-user-4711";
const TOKEN: &str = "canary-token-4711";
/// Not of this host, and in no example of the documentation.
const ADDRESS: &str = "198.51.100.213";

#[derive(Debug)]
struct Leaky(String);

impl std::fmt::Display for Leaky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Leaky {}

#[test]
fn no_secret_that_was_planted_is_in_anything_that_comes_out() {
    let builder = Monitor::builder().redact_addresses(true).redact(TOKEN);
    #[cfg(feature = "log")]
    let folder = Folder::new();
    #[cfg(feature = "log")]
    let builder = builder.log(anypeer::log::LogOptions::new(&folder.0));
    let monitor = builder.build().expect("threads");
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    let watch = monitor.clone();
    let (live, passwords, held) = host.in_task(async move {
        let server = RTCIceServer {
            // Nobody is there: nothing is sent to it before gathering, and nothing comes back.
            urls: vec!["turn:127.0.0.1:9?transport=udp".to_owned()],
            username: TURN_USER.to_owned(),
            credential: TURN_CREDENTIAL.to_owned(),
        };
        let configuration = RTCConfigurationBuilder::new().with_ice_servers(vec![server]).build();
        let settings =
            SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
        let builder = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .with_udp_addrs(vec!["127.0.0.1:0"]);
        let seen = Arc::new(Seen::default());
        let a = webrtc::open(&peers, builder, |_| Recorder::new(seen), PeerOptions::new().id("a"));
        let a = a.await.expect("opens");
        let label = format!("Bearer {TOKEN}");
        let held = a.create_data_channel(&label, None).await.expect("a channel");
        a.set_local_description(a.create_offer(None).await.expect("an offer")).await.expect("set");
        let offer = a.local_description().await.expect("open").expect("set");
        let (b, _) = crate::support::loopback::open(&peers, PeerOptions::new().id("b"))
            .await
            .expect("opens");
        let passwords: Vec<String> = offer
            .sdp
            .lines()
            .filter_map(|line| line.strip_prefix("a=ice-pwd:"))
            .map(str::to_owned)
            .collect();
        b.set_remote_description(offer.clone()).await.expect("set");
        b.set_local_description(b.create_answer(None).await.expect("made")).await.expect("set");
        // A remote candidate with an address to be hidden, and one that is refused with its text.
        let candidate = |text: &str| RTCIceCandidateInit {
            candidate: text.to_owned(),
            ..RTCIceCandidateInit::default()
        };
        let good = format!("candidate:1 1 udp 2130706431 {ADDRESS} 5000 typ host");
        b.add_ice_candidate(candidate(&good)).await.expect("it is taken");
        let bad = format!("candidate:1 1 udp x {ADDRESS} {} typ", passwords[0]);
        let refused = b.add_ice_candidate(candidate(&bad)).await;
        assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
        // An application that puts everything into its errors and details.
        let text = format!(
            "{ADDRESS}: ice-pwd:{} credential={TURN_CREDENTIAL} Authorization: Bearer {TOKEN}",
            passwords[0]
        );
        let _ = watch.new_operation("leaky").try_call(|| Err::<(), _>(Leaky(text.clone())));
        watch
            .new_operation("detailed")
            .detail("turn_credential", TURN_CREDENTIAL)
            .detail("note", text.as_str())
            .start()
            .complete_with(&text);
        // Nothing says that it is secret, but the peer that it is done to, once its description is
        // known.
        until(&watch, "a", "described", |info| !info.descriptions.is_empty()).await;
        let bare = format!("{} {TURN_CREDENTIAL}", passwords[0]);
        let about = |kind| watch.new_operation(kind).detail("note", bare.as_str()).peer(a.id());
        let _ = about("failed").try_call(|| Err::<(), _>(Leaky(bare.clone())));
        about("completed").start().complete_with(&bare);
        let offer = format!("{offer:?}");
        assert!(offer.contains(&passwords[0]), "expected the planted password to be a real one");
        let live = watch.connections(0, 10);
        assert!(peers.shutdown().await.all_closed());
        (live, passwords, held)
    });
    assert!(!passwords.is_empty());
    let closed = monitor.closed();
    let holders: usize = closed.iter().map(|info| info.retained_by.len()).sum();
    assert_eq!(holders, 1, "expected the channel that is held to be named");
    assert_eq!((live.len(), closed.len()), (2, 2));

    let mut outputs = vec![
        format!("{live:#?}"),
        format!("{closed:#?}"),
        format!("{:#?}", monitor.finished_operations(None, 1000, |_| true).items),
        format!("{:#?}", monitor.summary()),
        format!("{:#?}", monitor.metrics()),
        format!("{monitor:?}"),
    ];
    for (_, what) in closed.iter().flat_map(|info| &info.timeline) {
        outputs.push(what.to_string());
    }
    outputs.extend(closed.iter().filter_map(|it| it.diagnosis.as_ref()).map(ToString::to_string));
    #[cfg(feature = "metrics")]
    outputs.push(anypeer::metrics::encode(&monitor, anypeer::metrics::Format::OpenMetrics));
    #[cfg(feature = "dump")]
    for connections in [&live, &closed] {
        outputs.push(anypeer::dump::internals(connections));
        outputs.push(anypeer::dump::rtcstats(connections));
    }
    #[cfg(feature = "log")]
    {
        block_on(monitor.flush());
        for kind in ["connections", "operations", "events"] {
            let mut text = String::new();
            for entry in std::fs::read_dir(folder.0.join(kind)).expect("there") {
                let path = entry.expect("a file").path();
                text += &std::fs::read_to_string(path).expect("it can be read");
            }
            assert!(!text.is_empty(), "expected records in {kind}");
            outputs.push(text);
        }
    }
    drop(held);
    for kind in ["leaky", "detailed", "failed", "completed"] {
        let told = outputs.iter().filter(|output| output.contains(kind)).count();
        assert!(told > 0, "expected the operation {kind} to be told of");
    }
    let canaries = [TURN_CREDENTIAL, TURN_USER, TOKEN, ADDRESS, "127.0.0.1"];
    let canaries = canaries.into_iter().chain(passwords.iter().map(String::as_str));
    for canary in canaries {
        for output in &outputs {
            let found = output.find(canary).map(|at| {
                let start = output.floor_char_boundary(at.saturating_sub(80));
                let end = output.floor_char_boundary(at + canary.len() + 20);
                output[start..end].to_owned()
            });
            assert_eq!(found, None, "expected {canary} nowhere");
        }
    }
}

#[test]
fn a_password_is_known_from_when_its_description_is_made_or_given() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = super::watched(&host);
    let passwords = host.in_task({
        let monitor = monitor.clone();
        async move {
            let opened =
                |id: &str| crate::support::loopback::open(&peers, PeerOptions::new().id(id));
            let ((a, _), (b, _)) =
                (opened("a").await.expect("opens"), opened("b").await.expect("opens"));
            let _channel = a.create_data_channel("data", None).await.expect("a channel");
            let password = |sdp: &str| {
                let line = sdp.lines().find_map(|line| line.strip_prefix("a=ice-pwd:"));
                line.expect("it has one").to_owned()
            };
            let say = |peer: &webrtc::Peer, text: &str| {
                let operation = monitor.new_operation("said").detail("note", text).peer(peer.id());
                operation.start().complete_with(text);
            };
            // An offer that is not set yet, and is never going to be.
            let mut offer = a.create_offer(None).await.expect("an offer");
            let of_a = password(&offer.sdp);
            say(&a, &of_a);
            // One that is refused.
            let taken = offer.clone();
            offer.sdp = offer.sdp.replacen("t=0 0", "t=0 x", 1);
            let refused = b.set_remote_description(offer).await;
            assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
            say(&b, &of_a);
            // A local one of the application's own making, which is refused too.
            let mut own = taken.clone();
            own.sdp = own.sdp.replace(&of_a, "made-by-the-application");
            let refused = a.set_local_description(own).await;
            assert!(matches!(refused, Err(OperationError::Webrtc(_))), "{refused:?}");
            say(&a, "made-by-the-application");
            b.set_remote_description(taken).await.expect("it is taken");
            let answer = b.create_answer(None).await.expect("an answer");
            let of_b = password(&answer.sdp);
            say(&b, &of_b);
            assert!(peers.shutdown().await.all_closed());
            [of_a, of_b, "made-by-the-application".to_owned()]
        }
    });
    let said = format!("{:#?}", monitor.finished_operations(None, 100, |_| true).items);
    assert_eq!(said.matches("\"said\"").count(), 4, "expected all of them to be told: {said}");
    for password in passwords {
        assert!(!said.contains(&password), "expected {password} not to be told: {said}");
    }
}
