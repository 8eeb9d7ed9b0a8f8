//! Closing over HTTP.

use std::time::Duration;

use anypeer::PeerOptions;
use serde_json::Value;

use super::client::{ask, get, post};
use super::{serve, watched};
use crate::host::{BACKENDS, Host};
use crate::loopback::{Hook, open};

#[test]
fn who_does_not_want_to_wait_is_told_where_to_ask() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    host.in_task({
        let peers = peers.clone();
        async move {
            for id in ["a", "b", "c"] {
                let options = PeerOptions::new().id(id).group(id);
                open(&peers, options).await.expect("opens").0.detach();
            }
        }
    });
    let prefer = &["prefer: wait=3, Respond-Async"];
    for path in
        ["/webrtc/connections/a/close", "/webrtc/stream/stop/b", "/webrtc/connections/close-all"]
    {
        let answer = ask(address, "POST", path, prefer, "").expect(202);
        assert_eq!(answer.header("preference-applied"), Some("respond-async"));
        let url = answer.header("location").expect("an address").to_owned();
        assert_eq!(answer.json()["operation_url"], *url);
        let until = |status: &str| {
            for _ in 0..3000 {
                let operation = get(address, &url).expect(200).json()["operation"].clone();
                if operation["status"] == status {
                    return operation;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            panic!("expected {path} to be {status}");
        };
        let ended = until("completed");
        assert!(ended["end_time"].is_number() && ended["error"] == Value::Null, "{ended}");
    }
    assert!(peers.is_empty(), "expected all to be closed: {peers:?}");
    let again = ask(address, "POST", "/webrtc/connections/a/close", &[], "").expect(200);
    assert!(again.body.contains("already"), "expected the peer to be remembered: {}", again.body);
    ask(address, "POST", "/webrtc/connections/nobody/close", prefer, "").expect(404);
    ask(address, "POST", "/webrtc/stream/stop/a", prefer, "").expect(404);
}

#[test]
fn a_close_that_is_forced_is_answered_as_what_it_is() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    let _kept = host.in_task({
        let peers = peers.clone();
        async move {
            let options = PeerOptions::new().id("stalled");
            let answerer = open(&peers, options).await.expect("opens");
            let never: Hook = Box::new(|| Box::pin(std::future::pending()));
            *answerer.1.hook.lock().unwrap() = Some(never);
            let offerer = open(&peers, PeerOptions::new()).await.expect("opens");
            crate::loopback::Pair::connect(offerer, answerer).await.expect("they connect")
        }
    });
    let answer = post(address, "/webrtc/connections/stalled/close").expect(200).json();
    let outcome = answer["outcome"].as_str().expect("words");
    assert!(outcome.starts_with("closed, forced (the handler held"), "{answer}");
    let known = get(address, "/webrtc/monitor/connections/stalled").expect(200).json();
    assert_eq!(known["connection"]["close"]["closure"], "forced", "{known}");
}
