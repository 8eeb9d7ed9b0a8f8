//! Who may ask what.

use anypeer::http::SessionOptions;

use super::{serve, watched};
use crate::support::host::{BACKENDS, Host};
use crate::support::http::{Answer, ask, get, raw};

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
        for site in ["cross-site", "same-site"] {
            // Without `Origin`: an image, or a request that is not to be read.
            let site = format!("sec-fetch-site: {site}");
            ask(address, method, path, &[&site, "sec-fetch-mode: no-cors"], "").expect(403);
            ask(address, method, path, &[&site, "sec-fetch-mode: navigate"], "").expect(200);
        }
        ask(address, method, path, &["sec-fetch-site: same-origin"], "").expect(200);
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
        serve(&peers, &monitor, host.runtime(), |api| api.token("s3cret").open_reads(true));
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

/// Every route that is described, with what is public of them.
fn described(address: std::net::SocketAddr) -> Vec<(String, String, bool)> {
    let document = get(address, "/openapi.json").expect(200).json();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{id}", "x").replace("{server_id}", "x");
        let path = path.replace("{stream}", "x").replace("{session}", "x");
        let path = path.replace("{number}", "1");
        for (method, operation) in methods.as_object().expect("methods") {
            let public = operation["security"].as_array().is_some();
            all.push((method.to_uppercase(), path.clone(), public));
        }
    }
    all
}

#[test]
fn every_route_is_guarded_says_how_its_answer_may_be_used_and_keeps_the_token() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| {
        api.token("s3cret").test_routes(true).sessions(SessionOptions::new())
    });
    let mut routes = described(address);
    assert!(routes.len() > 28, "expected every route: {routes:?}");
    let public: Vec<_> =
        routes.iter().filter(|(.., public)| *public).map(|(_, path, _)| path).collect();
    assert_eq!(public, ["/", "/health", "/openapi.json"]);
    // What is not described: the page's parts, other methods, other paths.
    for (method, path) in [
        ("GET", "/assets/dashboard.css"),
        ("GET", "/assets/dashboard.js"),
        ("PUT", "/webrtc/monitor/summary"),
        ("POST", "/assets/dashboard.js"),
        ("GET", "/nothing"),
        ("POST", "/webrtc/nothing"),
    ] {
        routes.push((method.to_owned(), path.to_owned(), true));
    }
    for (method, path, public) in &routes {
        let what = format!("{method} {path}");
        let guarded = |answer: Answer, status: u16| {
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            let said = answer.head.contains("s3cret") || answer.body.contains("s3cret");
            assert!(!said, "expected no token in {what}: {answer:?}");
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{what}: {answer:?}");
            }
        };
        let ask = |headers: &[&str]| ask(address, method, path, headers, "");
        guarded(ask(&["host: evil.example"]), 421);
        guarded(ask(&["origin: http://evil.example"]), 403);
        if !public {
            guarded(ask(&[]), 401);
            guarded(ask(&["authorization: Bearer wrong"]), 401);
        }
        if path != "/webrtc/monitor/events" {
            let answer = ask(&["authorization: Bearer s3cret"]);
            let status = answer.status;
            assert!(![401, 403, 421].contains(&status) && status < 500, "{what}: {answer:?}");
            guarded(answer, status);
        }
    }
}

#[test]
fn no_debug_text_has_the_token() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = anypeer::http::Api::builder(&peers, &monitor).token("s3cret");
    assert!(!format!("{api:?}").contains("s3cret"), "expected no token in {api:?}");
    let api = api.build().expect("threads");
    assert!(!format!("{api:?}").contains("s3cret"), "expected no token in {api:?}");
}
