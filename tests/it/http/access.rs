//! Who may ask what.

use super::client::{ask, get, raw};
use super::{serve, watched};
use crate::host::{BACKENDS, Host};

#[test]
fn a_name_that_was_pointed_here_is_refused() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) =
        serve(&peers, &monitor, host.runtime(), |api| api.host("ops.example"));
    let port = address.port();
    for (name, status) in [
        ("localhost", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1", 200),
        ("[::1]", 200),
        ("ops.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@localhost", 400),
        ("", 400),
        ("a b", 400),
    ] {
        for host in [format!("host: {name}"), format!("host: {name}:{port}")] {
            let answer = ask(address, "GET", "/webrtc/monitor/summary", &[&host], "");
            assert_eq!(answer.status, status, "expected another status for {host:?}: {answer:?}");
        }
    }
    raw(address, "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n").expect(400);
    raw(address, "GET /health HTTP/1.0\r\n\r\n").expect(400);
    let twice =
        "GET /health HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\nconnection: close\r\n\r\n";
    raw(address, twice).expect(400);
    let absolute =
        "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    raw(address, absolute).expect(421);
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    let own = format!("origin: http://{address}");
    for method in ["GET /webrtc/monitor/summary", "POST /webrtc/connections/close-all"] {
        let (method, path) = method.split_once(' ').expect("two words");
        ask(address, method, path, &[&own], "").expect(200);
        let port = format!("origin: http://127.0.0.1:{}", address.port().wrapping_add(1));
        for origin in ["origin: http://evil.example", "origin: null", "origin: ", &port] {
            let answer = ask(address, method, path, &[origin], "").expect(403);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
}

#[test]
fn a_token_is_asked_for_and_the_shell_is_public() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_all, all) = serve(&peers, &monitor, host.runtime(), |api| api.token("s3cret"));
    let (_open, open) =
        serve(&peers, &monitor, host.runtime(), |api| api.token("s3cret").open_reads());
    for path in ["/", "/health", "/openapi.json", "/assets/dashboard.js"] {
        get(all, path).expect(200);
    }
    for path in [
        "/metrics",
        "/webrtc/monitor/summary",
        "/webrtc/monitor/connections",
        "/webrtc/monitor/connections/x",
        "/webrtc/monitor/closed",
        "/webrtc/monitor/operations",
        "/webrtc/monitor/tasks",
        "/webrtc/monitor/events",
        "/webrtc/monitor/dump",
    ] {
        let answer = get(all, path).expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"anypeer\""), "{path}");
    }
    get(open, "/webrtc/monitor/summary").expect(200);
    let close = |address, headers: &[&str]| {
        ask(address, "POST", "/webrtc/connections/close-all", headers, "")
    };
    for address in [all, open] {
        for given in
            ["Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret"]
        {
            close(address, &[&format!("authorization: {given}")]).expect(401);
        }
        close(address, &[]).expect(401);
        close(address, &["authorization: bearer s3cret"]).expect(200);
    }
}

#[test]
fn no_answer_and_no_debug_text_has_the_token() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = anypeer::http::Api::builder(&peers, &monitor).token("s3cret");
    assert!(!format!("{api:?}").contains("s3cret"), "expected no token in {api:?}");
    let api = api.build().expect("threads");
    assert!(!format!("{api:?}").contains("s3cret"), "expected no token in {api:?}");
}
