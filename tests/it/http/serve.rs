//! Beginning and ending to serve.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anypeer::http::{Api, ServeError, ServeOptions};

use super::{loopback, serve, watched};
use crate::support::host::{BACKENDS, Host, on_all_at_once};
use crate::support::http::{Stream, get, send};

#[test]
fn an_address_that_can_be_reached_from_elsewhere_needs_a_token() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let bind = || TcpListener::bind("0.0.0.0:0").expect("a port");
    let options = || ServeOptions::new().runtime(host.runtime());
    let open = Api::builder(&peers, &monitor).token("").build().expect("threads");
    let refused = open.serve(bind(), options());
    assert!(matches!(refused, Err(ServeError::NeedsToken(_))), "{refused:?}");
    let closed = Api::builder(&peers, &monitor).token("secret").build().expect("threads");
    drop(closed.serve(bind(), options()).expect("it has a token"));
}

#[test]
fn a_shutdown_ends_streams_and_idle_connections_and_lets_requests_finish() {
    on_all_at_once(|backend, host| {
        let (monitor, peers) = watched(host.runtime());
        let (serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
        let request = format!("GET /webrtc/monitor/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let mut stream = send(address, request);
        let mut idle = send(address, format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n"));
        // Until both are being served.
        let mut some = [0; 16];
        stream.read_exact(&mut some).expect("a head");
        idle.read_exact(&mut some).expect("a head");
        let begun = Instant::now();
        let cut = host.in_task(serving.shutdown(Duration::from_secs(20)));
        assert_eq!(cut, 0, "expected nobody to be cut off on {}", backend.name());
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "expected it at once, not {:?}",
            begun.elapsed()
        );
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("an end");
        assert!(rest.ends_with(b"0\r\n\r\n"), "expected a whole answer on {}", backend.name());
        TcpStream::connect(address).expect_err("nobody listens any more");
    });
}

#[test]
fn dropping_it_ends_it() {
    on_all_at_once(|_, host| {
        let (monitor, peers) = watched(host.runtime());
        let (serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
        get(address, "/health").expect(200);
        let mut stream = send(
            address,
            format!("GET /webrtc/monitor/events HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        );
        stream.read_exact(&mut [0; 16]).expect("a head");
        drop(serving);
        let mut rest = Vec::new();
        // Cut off, or reset: but ended.
        if let Err(error) = stream.read_to_end(&mut rest) {
            let waits = [ErrorKind::TimedOut, ErrorKind::WouldBlock];
            assert!(!waits.contains(&error.kind()), "expected an end: {error}");
        }
        assert!(!rest.ends_with(b"0\r\n\r\n"), "expected it to be cut off");
    });
}

#[test]
fn a_client_that_sends_half_a_head_is_ended() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let options =
        ServeOptions::new().runtime(host.runtime()).head_timeout(Duration::from_millis(200));
    let serving = api.serve(loopback(), options).expect("serves");
    let mut stream = send(serving.local_addr(), "GET /health HTT");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("an end in time");
}

#[test]
fn requests_that_come_in_pieces_and_together_are_answered_each_in_its_turn() {
    on_all_at_once(|backend, host| {
        let (monitor, peers) = watched(host.runtime());
        let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
        let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let (half, other_half) = request.split_at(request.len() / 2);
        let mut stream = send(address, format!("{request}{request}{half}"));
        let mut text = String::new();
        answers(&mut stream, &mut text, 2);
        stream.write_all(other_half.as_bytes()).expect("it reads");
        answers(&mut stream, &mut text, 3);
        stream.write_all(request.as_bytes()).expect("it reads");
        answers(&mut stream, &mut text, 4);
        stream.finish();
        stream.read_to_string(&mut text).expect("an end");
        let count = text.matches("HTTP/1.1 200").count();
        assert_eq!(count, 4, "expected four answers on {}: {text}", backend.name());
    });
}

/// Reads until there are so many answers, whose bodies are JSON.
fn answers(stream: &mut Stream, text: &mut String, count: usize) {
    while text.matches("HTTP/1.1 ").count() < count || !text.ends_with('}') {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).expect("an answer in time");
        assert!(read > 0, "expected {count} answers, not {text}");
        text.push_str(std::str::from_utf8(&some[..read]).expect("text"));
    }
}

#[test]
fn no_limit_of_time_is_none() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let options = ServeOptions::new().runtime(host.runtime());
    let options = options.head_timeout(Duration::MAX).write_timeout(Duration::MAX);
    let serving = api.serve(loopback(), options).expect("serves");
    get(serving.local_addr(), "/health").expect(200);
}

#[test]
fn two_servers_of_one_interface_end_each_for_itself() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let options = || ServeOptions::new().runtime(host.runtime());
    let first = api.serve(loopback(), options()).expect("serves");
    let second = api.serve(loopback(), options()).expect("serves");
    let address = second.local_addr();
    assert_eq!(host.in_task(first.shutdown(Duration::from_secs(20))), 0);
    let request = format!("GET /webrtc/monitor/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut text = Vec::new();
    let mut stream = send(address, request);
    while !String::from_utf8_lossy(&text).contains("event: snapshot") {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).expect("it goes on");
        assert!(
            read > 0,
            "expected events of the other server: {}",
            String::from_utf8_lossy(&text)
        );
        text.extend_from_slice(&some[..read]);
    }
}

#[test]
fn more_connections_than_may_be_wait_for_others_to_end() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let options = ServeOptions::new().runtime(host.runtime()).max_connections(1);
    let serving = api.serve(loopback(), options).expect("serves");
    let address = serving.local_addr();
    let mut first = send(address, format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n"));
    first.read_exact(&mut [0; 16]).expect("it is served");
    let mut second = send(
        address,
        format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"),
    );
    assert_eq!(serving.connections(), 1, "expected the second to wait");
    drop(first);
    second.read_exact(&mut [0; 16]).expect("it is served once the first is gone");
}
