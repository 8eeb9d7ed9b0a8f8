//! In a server that is there already.

use anypeer::http::{Api, SessionOptions};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use tower_service::Service;

use super::watched;
use crate::support::host::{BACKENDS, Host};

fn ask(app: &mut Router, method: &str, path: &str) -> (StatusCode, header::HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    let request = request.header("prefer", "respond-async").body(Body::empty()).expect("a request");
    smol::block_on(async {
        let answer = app.call(request).await.expect("it answers");
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("text"))
    })
}

#[test]
fn nested_under_a_path_it_says_where_things_are_from_there() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api =
        Api::builder(&peers, &monitor).sessions(SessionOptions::new()).build().expect("threads");
    let own = Router::new().route("/", get(|| async { "the host's own" }));
    let mut app = own.nest("/ops", api.router());
    assert_eq!(ask(&mut app, "GET", "/").2, "the host's own");
    assert_eq!(ask(&mut app, "GET", "/ops/health").0, 200);
    // The page's own links are relative to a folder.
    let (status, _, page) = ask(&mut app, "GET", "/ops");
    assert_eq!(status, 200);
    assert!(page.contains("<base href=\"/ops/\">"), "expected it to know where it is: {page}");
    assert_eq!(ask(&mut app, "GET", "/ops/assets/dashboard.js").0, 200);
    let (status, headers, _) = ask(&mut app, "POST", "/ops/webrtc/connections/close-all");
    assert_eq!(status, 202);
    let location = headers[header::LOCATION].to_str().expect("text");
    assert!(location.starts_with("/ops/webrtc/monitor/operations/"), "{location}");
    assert_eq!(ask(&mut app, "GET", location).0, 200);
}

#[test]
fn merged_it_leaves_the_hosts_own_routes_alone() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let own = Router::new()
        .route("/", get(|| async { "the host's own" }))
        .route("/health", get(|| async { "the host's health" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "the host's fallback") });
    let mut app = own.merge(api.monitor_router());
    assert_eq!(ask(&mut app, "GET", "/").2, "the host's own");
    assert_eq!(ask(&mut app, "GET", "/health").2, "the host's health");
    assert_eq!(ask(&mut app, "GET", "/nothing").2, "the host's fallback");
    assert_eq!(ask(&mut app, "GET", "/webrtc/monitor/summary").0, 200);
}
