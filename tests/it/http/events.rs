//! What happens, live.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;

use anypeer::PeerOptions;
use anypeer::http::{Api, ServeOptions};
use anypeer::monitor::{Limits, Monitor};
use serde_json::Value;

use super::{loopback, serve, watched};
use crate::support::host::{BACKENDS, Host, on_all_at_once};
use crate::support::http::{Stream, ask, get, post, send};
use crate::support::loopback::open;
use crate::support::poll::until;

/// One event.
#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

struct Events(BufReader<Stream>);

impl Events {
    fn follow(address: SocketAddr, last: Option<&str>) -> Self {
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        // HTTP/1.0 is not chunked.
        let request =
            format!("GET /webrtc/monitor/events HTTP/1.0\r\nhost: {address}\r\n{last}\r\n");
        let mut events = Self(BufReader::new(send(address, request)));
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(events.0.read_line(&mut line).expect("a head") > 0, "expected a whole head");
        }
        events
    }

    /// The next event that is no summary.
    fn next(&mut self) -> Event {
        loop {
            let event = self.any();
            if event.name != "summary" {
                return event;
            }
        }
    }

    fn any(&mut self) -> Event {
        let mut event = Event { name: String::new(), id: None, data: Value::Null };
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("an event") > 0, "expected an event");
            match line.trim_end().split_once(": ") {
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
                _ if event.name.is_empty() => {}
                _ => return event,
            }
        }
    }

    fn until(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Event {
        loop {
            let event = self.any();
            if event.name == name && is_it(&event.data) {
                return event;
            }
        }
    }
}

#[test]
fn a_follower_hears_how_things_are_and_then_all_that_happens() {
    on_all_at_once(|_, host| {
        let (monitor, peers) = watched(host.runtime());
        let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
        let (peer, _) =
            host.in_task({
                let peers = peers.clone();
                async move {
                    open(&peers, PeerOptions::new().id("a").group("room")).await.expect("opens")
                }
            });
        let mut events = Events::follow(address, None);
        let snapshot = events.next();
        assert_eq!((snapshot.name.as_str(), &snapshot.data["more"]), ("snapshot", &false.into()));
        assert_eq!(snapshot.data["connections"][0]["connection_id"], "a");
        post(address, "/webrtc/connections/a/close").expect(200);
        let started = events
            .until("operation_started", |it| it["operation_type"] == "close_webrtc_connection");
        let closed = events.until("connection", |it| it["type"] == "closed");
        assert_eq!(
            (&closed.data["connection_id"], &closed.data["group"]),
            (&"a".into(), &"room".into())
        );
        assert_eq!(closed.data["details"]["reason"], "requested");
        let ended = events
            .until("operation_ended", |it| it["operation_id"] == started.data["operation_id"]);
        assert_eq!(ended.data["status"], "completed");
        drop(peer);

        // Whoever comes back hears the rest, and no snapshot.
        let mut back = Events::follow(address, started.id.as_deref());
        let first = back.next();
        assert_eq!(first.name, "connection", "{first:?}");
        let seq = |id: &Option<String>| {
            let id = id.as_ref().expect("an id");
            id.split_once('-').and_then(|(_, seq)| seq.parse::<u64>().ok()).expect("epoch-seq")
        };
        assert_eq!(seq(&first.id), seq(&started.id) + 1);
    });
}

#[test]
fn a_follower_hears_of_numbers_that_change_without_an_event() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    let mut events = Events::follow(address, None);
    events.until("summary", |it| it["pending_tasks"] == 0);
    let pump = peers.tasks().expect("a thread").spawn("pump", std::future::pending::<()>());
    events.until("summary", |it| it["pending_tasks"] == 1);
    pump.abort();
    events.until("summary", |it| it["pending_tasks"] == 0);
}

#[test]
fn who_was_away_for_too_long_is_told_of_a_gap_with_its_count_and_how_things_are() {
    let host = Host::start(BACKENDS[0]);
    let limits = Limits::new().updates(8);
    let monitor = Monitor::builder().limits(limits).build().expect("threads");
    let peers = anypeer::Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api);
    let id = Events::follow(address, None).next().id;
    for _ in 0..10 {
        post(address, "/webrtc/connections/nobody/close").expect(404);
    }
    let mut back = Events::follow(address, id.as_deref());
    let gap = back.next();
    assert_eq!((gap.name.as_str(), &gap.data["missed"]), ("gap", &20.into()), "{gap:?}");
    assert_eq!(back.next().name, "snapshot");

    let mut stranger = Events::follow(address, Some("00000000-5"));
    let gap = stranger.next();
    assert_eq!((gap.name.as_str(), &gap.data["missed"]), ("gap", &Value::Null), "{gap:?}");
    assert_eq!(stranger.next().name, "snapshot");
    for id in ["5", "x-1", "00000000-", "00000000-1-1"] {
        let last = format!("last-event-id: {id}");
        ask(address, "GET", "/webrtc/monitor/events", &[&last], "").expect(400);
    }
}

#[test]
fn one_follower_more_than_may_be_is_refused_until_another_is_gone() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let (_serving, address) = serve(&peers, &monitor, host.runtime(), |api| api.event_clients(1));
    let first = Events::follow(address, None);
    get(address, "/webrtc/monitor/events").expect(503);
    drop(first);
    // It is noticed when something is sent.
    until("room for another", || {
        let request = format!("GET /webrtc/monitor/events HTTP/1.0\r\nhost: {address}\r\n\r\n");
        let mut head = [0; 12];
        send(address, request).read_exact(&mut head).expect("a head");
        head.ends_with(b"200")
    });
}

#[test]
fn a_long_snapshot_comes_in_parts() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(host.runtime());
    let api = Api::builder(&peers, &monitor).build().expect("threads");
    let serving =
        api.serve(loopback(), ServeOptions::new().runtime(host.runtime())).expect("serves");
    let kept = host.in_task({
        let peers = peers.clone();
        async move {
            let mut kept = Vec::new();
            for _ in 0..201 {
                kept.push(open(&peers, PeerOptions::new()).await.expect("opens"));
            }
            kept
        }
    });
    let mut events = Events::follow(serving.local_addr(), None);
    let (first, second) = (events.next(), events.next());
    assert_eq!((&first.data["more"], first.id.is_some()), (&true.into(), false));
    assert_eq!((&second.data["more"], second.id.is_some()), (&false.into(), true));
    let count = |event: &Event| event.data["connections"].as_array().map_or(0, Vec::len);
    assert_eq!((count(&first), count(&second)), (200, 1));
    drop(kept);
}
