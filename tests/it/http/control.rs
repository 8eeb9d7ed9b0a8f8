//! Closing over HTTP.

use anypeer::{PeerOptions, Peers};
use serde_json::Value;

use super::{serve, watched};
use crate::support::host::{BACKENDS, Host};
use crate::support::http::{Answer, ask, get, post};
use crate::support::loopback::{Hook, open};
use crate::support::poll::{PATIENCE, poll};

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
        let operation = || get(address, &url).expect(200).json()["operation"].clone();
        let ended =
            poll(PATIENCE, || Some(operation()).filter(|known| known["status"] == "completed"));
        let ended = ended.unwrap_or_else(|| panic!("expected {path} to end: {}", operation()));
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
            crate::support::loopback::Pair::connect(offerer, answerer).await.expect("they connect")
        }
    });
    let answer = post(address, "/webrtc/connections/stalled/close").expect(200).json();
    let outcome = answer["outcome"].as_str().expect("words");
    assert!(outcome.starts_with("closed, forced (the handler held"), "{answer}");
    let known = get(address, "/webrtc/monitor/connections/stalled").expect(200).json();
    assert_eq!(known["connection"]["close"]["closure"], "forced", "{known}");
}

/// Opens peers that only their `Peers` keeps.
fn open_all(host: &Host, peers: &Peers, ids: &'static [&'static str]) {
    let peers = peers.clone();
    host.in_task(async move {
        for id in ids {
            open(&peers, PeerOptions::new().id(*id)).await.expect("opens").0.detach();
        }
    });
}

#[test]
fn a_delete_answers_as_the_originals_post_does() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    open_all(&host, &peers, &["a", "b", "c", "d", "e", "f"]);
    let ways = |id: &str| {
        [
            ("POST", format!("/webrtc/connections/{id}/close")),
            ("DELETE", format!("/webrtc/connections/{id}")),
            ("DELETE", format!("/webrtc/connections?id={id}")),
        ]
    };
    let keys = |answer: &Answer| {
        answer.json().as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    // One id for each way, and none of them is left.
    let closed: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .enumerate()
        .map(|(way, id)| {
            let (method, path) = &ways(id)[way];
            let answer = ask(address, method, path, &[], "").expect(200);
            assert_eq!(answer.json()["connection_id"], id);
            assert_eq!(answer.json()["success"], true, "{answer:?}");
            assert_eq!(answer.json()["operation"], "close_webrtc_connection");
            keys(&answer)
        })
        .collect();
    assert!(closed.iter().all(|it| *it == closed[0]), "expected the same keys: {closed:?}");
    let accepted: Vec<_> = ["d", "e", "f"]
        .into_iter()
        .enumerate()
        .map(|(way, id)| {
            let (method, path) = &ways(id)[way];
            let answer = ask(address, method, path, &["prefer: respond-async"], "").expect(202);
            assert_eq!(answer.header("preference-applied"), Some("respond-async"));
            let url = answer.json()["operation_url"].as_str().expect("an address").to_owned();
            assert_eq!(answer.header("location"), Some(&*url));
            get(address, &url).expect(200);
            keys(&answer)
        })
        .collect();
    assert!(accepted.iter().all(|it| *it == accepted[0]), "expected the same keys: {accepted:?}");
    for (method, path) in ways("nobody") {
        for headers in [&[][..], &["prefer: respond-async"]] {
            let problem = ask(address, method, &path, headers, "").expect(404).json();
            assert_eq!(problem["detail"], "Connection not found", "{method} {path}");
            assert!(problem["operation_id"].is_string(), "{method} {path}: {problem}");
        }
    }
}

#[test]
fn a_delete_that_names_nothing_closes_nothing() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    open_all(&host, &peers, &["a"]);
    for query in ["", "?", "?group=a", "?id=a&group=a", "?id=a&id=b"] {
        ask(address, "DELETE", &format!("/webrtc/connections{query}"), &[], "").expect(400);
    }
    ask(address, "DELETE", "/webrtc/connections?id=", &[], "").expect(404);
    // The path of another method.
    let answer = ask(address, "DELETE", "/webrtc/connections/close-all", &[], "").expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(peers.len(), 1);
}

#[test]
fn an_id_that_no_path_can_hold_is_read_and_closed_by_the_query() {
    const ODD: &[&str] = &[".", "..", "close-all", "a/b?c&d=e#f%", "\u{202e}é"];
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    open_all(&host, &peers, ODD);
    for &id in ODD {
        let query: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let live = format!("/webrtc/monitor/connections?id={query}");
        let closed = format!("/webrtc/monitor/closed?id={query}");
        let found = get(address, &live).expect(200).json();
        assert_eq!(found["count"], 1, "expected {id:?} alone: {found}");
        assert_eq!(found["connections"][id]["connection_id"], id);
        assert_eq!(get(address, &closed).expect(200).json()["count"], 0);
        let close = format!("/webrtc/connections?id={query}");
        let answer = ask(address, "DELETE", &close, &[], "").expect(200).json();
        assert_eq!((&answer["connection_id"], &answer["success"]), (&id.into(), &true.into()));
        assert_eq!(get(address, &live).expect(200).json()["count"], 0);
        let found = get(address, &closed).expect(200).json();
        assert_eq!(found["count"], 1, "expected {id:?} alone: {found}");
        assert_eq!(found["connections"][0]["connection_id"], id);
    }
    assert!(peers.is_empty(), "expected all to be closed: {peers:?}");
    for list in ["connections", "closed"] {
        get(address, &format!("/webrtc/monitor/{list}?id=")).expect(400);
        get(address, &format!("/webrtc/monitor/{list}?id={}", "x".repeat(257))).expect(400);
    }
}

#[test]
fn closed_connections_of_one_id_are_told_apart_by_their_numbers() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    for _ in 0..2 {
        open_all(&host, &peers, &["again"]);
        ask(address, "DELETE", "/webrtc/connections/again", &[], "").expect(200);
    }
    open_all(&host, &peers, &["again"]);
    let one = |path: &str| get(address, path).expect(200).json()["connection"].clone();
    let live = one("/webrtc/monitor/connections/again");
    assert_eq!(live["close"], Value::Null, "expected the live one: {live}");
    let rows = get(address, "/webrtc/monitor/closed?id=again&view=row").expect(200).json();
    let rows = rows["connections"].as_array().expect("a list").clone();
    assert_eq!(rows.len(), 2, "expected both that have ended: {rows:?}");
    for row in &rows {
        let number = row["number"].as_u64().expect("a number");
        let closed = one(&format!("/webrtc/monitor/closed/{number}"));
        assert_eq!(
            (&closed["number"], &closed["connection_id"]),
            (&row["number"], &"again".into())
        );
        assert_eq!(
            (&closed["close"]["reason"], &closed["created_at"]),
            (&"requested".into(), &row["created_at"])
        );
        let stats =
            get(address, &format!("/webrtc/monitor/closed/{number}/stats")).expect(200).json();
        assert_eq!(stats["connection_id"], "again");
        let path = format!("/webrtc/monitor/closed/{number}/diagnosis");
        assert_eq!(get(address, &path).expect(200).json()["connection_id"], "again");
    }
    assert_ne!(rows[0]["number"], rows[1]["number"]);
    let live = live["number"].to_string();
    for number in [&*live, "0", "-1", "+1", "x", "1.0", "18446744073709551616"] {
        for path in ["", "/stats", "/diagnosis"] {
            let path = format!("/webrtc/monitor/closed/{number}{path}");
            assert_eq!(get(address, &path).expect(404).json()["detail"], "Connection not found");
        }
    }
}
