//! In a server that is there already.

use anypeer::http::{Api, SessionOptions};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use tower_service::Service;

use super::watched;
use crate::host::{BACKENDS, Host};

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
    let own = || Router::new().route("/", get(|| async { "the host's own" }));
    nested(own().nest("/ops", api.router()));
    let mut app = own().nest_service("/ops", api.router());
    // axum's `nest` leaves this path to the host.
    let (status, _, page) = ask(&mut app, "GET", "/ops/");
    assert_eq!(status, 200);
    assert_eq!(page, ask(&mut app, "GET", "/ops").2);
    assert_eq!(ask(&mut app, "HEAD", "/ops/").0, 200);
    assert_eq!(ask(&mut app, "POST", "/ops/").0, 405);
    assert_eq!(ask(&mut app, "GET", "/ops/nothing").0, 404);
    nested(app);
    let mut within = own().nest_service("/more", Router::new().nest("/ops", api.router()));
    assert_eq!(document(&mut within, "/more/ops")["servers"][0]["url"], "/more/ops");
    let (mut own, mut outer) = (api.router(), Router::new().nest_service("/a", api.router()));
    let own = document(&mut own, "");
    assert_eq!(own.get("servers"), None, "expected the default, which is the root");
    let mut nested = document(&mut outer, "/a");
    nested.as_object_mut().expect("an object").remove("servers");
    assert_eq!(own, nested, "expected the mount to be the only difference");
}

fn document(app: &mut Router, mount: &str) -> serde_json::Value {
    let (status, headers, text) = ask(app, "GET", &format!("{mount}/openapi.json"));
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (StatusCode::OK, &"application/json".parse().expect("a value"))
    );
    serde_json::from_str(&text).expect("JSON")
}

/// What is at `/ops`, with a host's own page at `/`.
fn nested(mut app: Router) {
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
    assert_eq!(document(&mut app, "/ops")["servers"], serde_json::json!([{ "url": "/ops" }]));
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
