//! The same answers, whatever they are served on.

use std::net::SocketAddr;

use anypeer::http::{Serving, SessionOptions};
use anypeer::monitor::Monitor;
use anypeer::peer::CloseReason;
use anypeer::{PeerOptions, Peers};
use serde_json::Value;

use super::{serve, watched};
use crate::support::host::{BACKENDS, Backend, Host};
use crate::support::http::{Answer, ask, get, post};
use crate::support::loopback::{Pair, open};

/// Keys that tell the time, how long something took, or what is drawn anew for each.
const VARIABLE: [&str; 9] = [
    "timestamp",
    "uptime_seconds",
    "age",
    "idle",
    "start_time",
    "duration_ms",
    "operation_id",
    "operation_url",
    "event_count",
];

/// The same for every answer to the same question.
fn settled(answer: &Answer) -> String {
    fn settle(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if VARIABLE.contains(&key.as_str()) {
                        *value = Value::Null;
                    } else {
                        settle(value);
                    }
                }
            }
            Value::Array(all) => all.iter_mut().for_each(settle),
            _ => {}
        }
    }
    let head = answer.head.lines().filter(|line| {
        // Their values follow from the times in the body, and from the operation's id.
        !["date:", "content-length:", "location:"].iter().any(|name| line.starts_with(name))
    });
    let head = head.collect::<Vec<_>>().join("\n");
    let body = match serde_json::from_str::<Value>(&answer.body) {
        Ok(mut value) => {
            settle(&mut value);
            value.to_string()
        }
        Err(_) => answer.body.clone(),
    };
    // Prometheus' text has no time but how long things took, which does not change.
    format!("{head}\n\n{body}")
}

/// One set of peers, served on all backends at once.
struct Everywhere {
    servings: Vec<(Serving, SocketAddr)>,
    hosts: Vec<(Backend, Host)>,
    peers: Peers,
    monitor: Monitor,
    /// Where the peers live.
    home: Host,
}

impl Everywhere {
    fn serve() -> Self {
        let home = Host::start(BACKENDS[0]);
        let (monitor, peers) = watched(home.runtime());
        let hosts: Vec<_> = BACKENDS.iter().map(|&it| (it, Host::start(it))).collect();
        let servings = hosts.iter().map(|(_, host)| {
            serve(&peers, &monitor, host.runtime(), |api| {
                api.test_routes(true).sessions(SessionOptions::new())
            })
        });
        let servings = servings.collect();
        Self { servings, hosts, peers, monitor, home }
    }

    /// Something of everything: connected peers, one that was closed, and a task.
    fn populate(&self) -> Pair {
        let peers = self.peers.clone();
        self.home.in_task(async move {
            let named = |id: &str| PeerOptions::new().id(id).group("room");
            let pair = Pair::open(&peers, named("alice"), named("bob")).await;
            let pair = pair.expect("they connect");
            pair.offerer.tasks().spawn("pump", std::future::pending::<()>());
            let (gone, _) = open(&peers, named("gone <b>\"&")).await.expect("opens");
            assert!(gone.close().await.is_closed());
            assert_eq!(gone.closed().await, CloseReason::Requested);
            pair
        })
    }

    /// Has every backend asked, and says what all have answered.
    fn same(&self, question: &str, ask: impl Fn(SocketAddr) -> Answer) -> Answer {
        let mut answers = self
            .hosts
            .iter()
            .zip(&self.servings)
            .map(|((backend, _), (_, address))| (backend.name(), ask(*address)));
        let (first, answer) = answers.next().expect("there are backends");
        for (name, other) in answers {
            assert_eq!(
                settled(&answer),
                settled(&other),
                "expected the same answer to {question} on {first} and on {name}"
            );
        }
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.same(path, |address| get(address, path))
    }

    /// Has every backend asked for a close of one more peer, `victim` of the group `victims`.
    fn close(&self, path: &str, keys: &str) -> Value {
        let answer = self.same(path, |address| {
            let peers = self.peers.clone();
            self.home.in_task(async move {
                let victim = PeerOptions::new().id("victim").group("victims");
                open(&peers, victim).await.expect("opens").0.detach();
            });
            post(address, path)
        });
        let answer = answer.expect(200).json();
        has_keys(&answer, keys, path);
        assert_eq!(answer["success"], true, "{answer}");
        answer
    }
}

fn has_keys(value: &Value, keys: &str, what: &str) {
    for key in keys.split_whitespace() {
        assert!(value.get(key).is_some(), "expected {what} to have {key}: {value}");
    }
}

#[test]
fn the_summary_counts_connections_and_operations_with_the_originals_keys() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    let _encoding = all.monitor.new_operation("encode").detail("frames", 7).start();
    let summary = all.get("/webrtc/monitor/summary").expect(200).json();
    has_keys(
        &summary,
        "uptime_seconds connection_states operation_stats pending_tasks event_count timestamp \
         debug_mode logging_enabled",
        "the summary",
    );
    let states = &summary["connection_states"];
    has_keys(states, "total connected disconnected new connecting closed failed", "the states");
    assert_eq!((&states["connected"], &states["closed"]), (&2.into(), &1.into()), "{summary}");
    has_keys(
        &summary["operation_stats"],
        "total started completed failed canceled",
        "the operations",
    );
    assert_eq!(summary["operation_stats"]["started"], 1, "expected one under way: {summary}");
}

#[test]
fn connections_have_the_originals_keys_one_by_one_and_together() {
    const CONNECTION: &str = "connection_id created_at updated_at ice_state connection_state \
         signaling_state gathering_state tracks data_channels errors async_tasks lifecycle_events";
    let all = Everywhere::serve();
    let _pair = all.populate();
    let list = all.get("/webrtc/monitor/connections").expect(200).json();
    has_keys(&list, "connections count timestamp", "the connections");
    assert_eq!(list["count"], 2);
    has_keys(&list["connections"]["alice"], CONNECTION, "a connection");
    let one = all.get("/webrtc/monitor/connections/alice").expect(200).json();
    has_keys(&one, "connection timestamp", "one connection");
    has_keys(&one["connection"], CONNECTION, "a connection");
    let events = one["connection"]["lifecycle_events"].as_array().expect("a list").clone();
    let change = events.iter().find(|event| event["type"] == "connection_state_change");
    let change = change.unwrap_or_else(|| panic!("expected a change: {events:?}"));
    has_keys(change, "type timestamp details", "an event");
    assert!(change["details"]["state"].is_string(), "{change}");
}

#[test]
fn connections_come_by_the_page_and_filtered() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    let first = all.get("/webrtc/monitor/connections?limit=1&view=row").expect(200).json();
    assert_eq!((&first["count"], &first["total"]), (&1.into(), &2.into()), "{first}");
    let next = first["next"].as_str().expect("there are more").to_owned();
    let second = all.get(&format!("/webrtc/monitor/connections?limit=1&after={next}")).json();
    assert_eq!((&second["count"], &second["next"]), (&1.into(), &Value::Null), "{second}");
    for (query, count) in
        [("state=connected", 2), ("state=new", 0), ("group=room", 2), ("group=no", 0)]
    {
        let found = all.get(&format!("/webrtc/monitor/connections?{query}")).expect(200).json();
        assert_eq!(found["count"], count, "expected that many for {query}: {found}");
    }
    for query in
        ["limit=0", "limit=501", "limit=x", "after=-1", "after=+1", "state=open", "view=", "x=1"]
    {
        let problem = all.get(&format!("/webrtc/monitor/connections?{query}")).expect(400);
        assert_eq!(problem.header("content-type"), Some("application/problem+json"), "{query}");
        has_keys(&problem.json(), "type title status detail", "a problem");
    }
}

#[test]
fn a_closed_connection_is_still_known_and_an_unknown_one_is_not() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    let closed = all.get("/webrtc/monitor/closed").expect(200).json();
    assert_eq!(closed["connections"][0]["connection_id"], "gone <b>\"&", "{closed}");
    assert_eq!(closed["connections"][0]["close"]["reason"], "requested", "{closed}");
    let gone = all.get("/webrtc/monitor/connections/gone%20%3Cb%3E%22%26").expect(200).json();
    assert_eq!(gone["connection"]["connection_state"], "closed");
    let unknown = all.get("/webrtc/monitor/connections/nobody").expect(404).json();
    assert_eq!(unknown["error"], "Connection not found");
    assert_eq!(unknown["detail"], "Connection not found");
    all.get("/webrtc/monitor/connections/nobody/stats").expect(404);
    all.get("/webrtc/monitor/connections/nobody/diagnosis").expect(404);
    let stats = all.get("/webrtc/monitor/connections/bob/stats").expect(200).json();
    has_keys(&stats, "connection_id stats samples timestamp", "statistics");
    let diagnosis = all.get("/webrtc/monitor/connections/bob/diagnosis").expect(200).json();
    assert_eq!(diagnosis["diagnosis"], Value::Null);
}

#[test]
fn operations_have_the_originals_keys_and_come_by_the_page() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    let _encoding = all.monitor.new_operation("encode").detail("frames", 7).start();
    let operations = all.get("/webrtc/monitor/operations").expect(200).json();
    has_keys(&operations, "operations count timestamp", "the operations");
    let (id, operation) =
        operations["operations"].as_object().and_then(|all| all.iter().next()).expect("one");
    has_keys(operation, "operation_id operation_type start_time details status", "an operation");
    assert_eq!(
        (&operation["status"], &operation["details"]["frames"]),
        (&"started".into(), &7.into())
    );
    let one = all.get(&format!("/webrtc/monitor/operations/{id}")).expect(200).json();
    assert_eq!(one["operation"]["operation_type"], "encode");
    all.get("/webrtc/monitor/operations/0000000000000000").expect(404);
    all.get("/webrtc/monitor/operations/nonsense").expect(404);
    let ended = all.get("/webrtc/monitor/operations?state=ended&limit=2").expect(200).json();
    assert_eq!(ended["count"], 2);
    let next = ended["next"].as_str().expect("there are more").to_owned();
    let more = all.get(&format!("/webrtc/monitor/operations?state=ended&limit=2&after={next}"));
    assert_eq!(more.expect(200).json()["count"], 2);
    all.get("/webrtc/monitor/operations?after=zz").expect(400);
}

#[test]
fn tasks_are_told_by_the_connection_that_they_belong_to() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    let tasks = all.get("/webrtc/monitor/tasks").expect(200).json();
    has_keys(&tasks, "tasks count timestamp", "the tasks");
    assert_eq!(
        (&tasks["tasks"]["alice"], &tasks["count"]),
        (&serde_json::json!(["pump"]), &1.into())
    );
}

#[test]
fn dumps_health_metrics_and_the_description_are_there() {
    let all = Everywhere::serve();
    let _pair = all.populate();
    for format in ["internals", "rtcstats"] {
        all.get(&format!("/webrtc/monitor/dump?format={format}")).expect(200);
        all.get(&format!("/webrtc/monitor/dump?format={format}&connection=alice")).expect(200);
    }
    all.get("/webrtc/monitor/dump?connection=nobody").expect(404);
    all.get("/webrtc/monitor/dump?format=xml").expect(400);
    assert_eq!(all.get("/health").expect(200).json()["status"], "ok");
    all.get("/metrics").expect(200);
    let document = all.get("/openapi.json").expect(200).json();
    let mut described: Vec<_> = document["paths"].as_object().expect("paths").keys().collect();
    described.sort();
    assert_eq!(described.len(), 28, "expected every path to be described: {described:?}");
    all.get("/").expect(200);
    all.get("/nothing").expect(404);
}

#[test]
fn what_cannot_be_closed_or_opened_is_refused() {
    let all = Everywhere::serve();
    let test = all.get("/webrtc/test/").expect(200).json();
    has_keys(&test, "success message timestamp", "the test");
    for path in [
        "/webrtc/test/close/nobody",
        "/webrtc/connections/nobody/close",
        "/webrtc/connections/%00/close",
    ] {
        let problem = all.same(path, |address| post(address, path)).expect(404).json();
        assert_eq!(problem["detail"], "Connection not found");
    }
    let problem = all.same("a stream", |address| post(address, "/webrtc/stream/stop/nobody"));
    assert_eq!(problem.expect(404).json()["detail"], "Stream not found");
    let offer =
        |address| ask(address, "POST", "/whip/x", &["content-type: application/sdp"], "v=0\n");
    all.same("an offer that is none", offer).expect(400);
}

#[test]
fn closes_close_and_answer_with_the_originals_keys() {
    const ONE: &str = "success operation_id operation connection_id start_time duration_ms";
    const MANY: &str =
        "success operation_id operation start_time connection_count connections_closed duration_ms";
    let all = Everywhere::serve();
    let one = all.close("/webrtc/test/close/victim", ONE);
    assert_eq!(one["operation"], "close_webrtc_connection");
    all.close("/webrtc/connections/victim/close", ONE);
    let group = all.close("/webrtc/stream/stop/victims", MANY);
    assert_eq!(group["connections_closed"], 1);
    let every = all.close("/webrtc/test/close_all", MANY);
    assert_eq!(every["operation"], "close_all_webrtc_connections");
    all.close("/webrtc/connections/close-all", MANY);
}
