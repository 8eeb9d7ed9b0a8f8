//! `--run-tests`: real peers against the running server, over its own HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anypeer::runtime::Runtime;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState, RTCSessionDescription,
    SettingEngineBuilder,
};
use anypeer::webrtc::{self, MulticastDnsMode, Peer};
use anypeer::{PeerOptions, Peers};
use async_io::Timer;
use event_listener::Event;
use futures::future::{Either, select};
use hyper::{Method, header};
use serde_json::Value;

use crate::args::Serve;
use crate::client::{Client, Failure};
use crate::say;

const STREAM: &str = "run-tests";
const MESSAGES: usize = 100;
/// The bound of everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

type Tested = Result<String, Failure>;

/// Runs every test, prints what became of each, and says whether all have passed.
pub(crate) async fn run(options: &Serve, address: SocketAddr, runtime: &Runtime) -> bool {
    let reached = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))
        }
        _ => address,
    };
    let client = Client::new(reached, options.token.clone());
    let peers = Peers::builder().runtime(runtime.clone()).build();
    let mut table = Table::default();
    tests(&mut table, &client, &peers, options.webrtc_test).await;
    peers.shutdown().await;
    say::line(format_args!("{} of {} passed", table.passed, table.run));
    table.passed == table.run
}

#[derive(Default)]
struct Table {
    run: usize,
    passed: usize,
}

impl Table {
    async fn test<T>(
        &mut self,
        name: &str,
        test: impl Future<Output = Result<T, Failure>>,
    ) -> Option<T>
    where
        T: Note,
    {
        let start = Instant::now();
        let timed = select(Box::pin(test), Timer::after(PATIENCE)).await;
        let tested = match timed {
            Either::Left((tested, _)) => tested,
            Either::Right(_) => Err(format!("not done within {PATIENCE:?}").into()),
        };
        let took = start.elapsed().as_secs_f64() * 1e3;
        self.run += 1;
        match tested {
            Ok(value) => {
                self.passed += 1;
                say::line(format_args!("PASS {took:>8.1} ms  {name}: {}", value.note()));
                Some(value)
            }
            Err(error) => {
                say::line(format_args!("FAIL {took:>8.1} ms  {name}: {error}"));
                None
            }
        }
    }
}

/// What a test says that it saw.
trait Note {
    fn note(&self) -> String;
}

impl Note for String {
    fn note(&self) -> String {
        self.clone()
    }
}

async fn tests(table: &mut Table, client: &Client, peers: &Peers, test_routes: bool) {
    table.test("health", health(client)).await;
    table.test("summary", summary(client)).await;
    let (followed, opened) = {
        let (ready, is_ready) = futures::channel::oneshot::channel();
        let follow = client.follow(
            |event| event.contains("\"type\":\"opened\""),
            || {
                let _heard = ready.send(());
            },
        );
        let open = async {
            // Also if nobody can follow.
            let _ready = is_ready.await;
            Session::open(client, peers).await
        };
        futures::join!(follow, open)
    };
    table
        .test("live events", async { followed.map(|()| "told of a new connection".to_owned()) })
        .await;
    let Some(session) = table.test("session through WHIP", async { opened }).await else { return };
    table.test("data channel", session.echo()).await;
    let Some(id) = table.test("connection is listed", listed(client)).await else { return };
    table.test("connection in detail", detail(client, &id)).await;
    table.test("statistics", statistics(client, &id)).await;
    table.test("operations", operations(client)).await;
    table.test("tasks", tasks(client, &id)).await;
    table.test("dumps", dumps(client, &id)).await;
    table.test("metrics", metrics(client)).await;
    table.test("unknown connection", unknown(client)).await;
    table.test("close by id", close(client, &id, &session)).await;
    if test_routes {
        table.test("test routes", test_route(client, peers)).await;
    }
    table.test("end of a session", delete(client, peers)).await;
    table.test("stop of a stream", stop(client, peers)).await;
    table.test("close all", close_all(client, peers)).await;
    table.test("nothing is left", nothing_left(client)).await;
}

fn is(value: &Value, expected: &Value) -> Result<(), Failure> {
    if value == expected {
        Ok(())
    } else {
        Err(format!("expected {expected}, and not {value}").into())
    }
}

async fn health(client: &Client) -> Tested {
    let health = client.get("/health").await?;
    health["status"].as_str().map(str::to_owned).ok_or_else(|| "it has no status".into())
}

async fn summary(client: &Client) -> Tested {
    let summary = client.get("/webrtc/monitor/summary").await?;
    for key in [
        "uptime_seconds",
        "connection_states",
        "operation_stats",
        "pending_tasks",
        "event_count",
        "timestamp",
    ] {
        if summary.get(key).is_none() {
            return Err(format!("it has no {key}").into());
        }
    }
    Ok(format!("{} connections", summary["connection_states"]["total"]))
}

/// A connection of ours to the server.
struct Session {
    peer: Peer,
    channel: Arc<dyn DataChannel>,
    location: String,
}

impl Note for Session {
    fn note(&self) -> String {
        "connected".to_owned()
    }
}

#[derive(Default)]
struct Seen {
    gathered: AtomicBool,
    event: Event,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Seen {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.store(true, Ordering::Release);
            self.event.notify(usize::MAX);
        }
    }
}

impl Seen {
    async fn gathered(&self) {
        loop {
            let listener = self.event.listen();
            if self.gathered.load(Ordering::Acquire) {
                return;
            }
            listener.await;
        }
    }
}

impl Session {
    /// Offers a data channel, and waits until it is open.
    async fn open(client: &Client, peers: &Peers) -> Result<Self, Failure> {
        let settings =
            SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
        let builder = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_udp_addrs(vec!["127.0.0.1:0"]);
        let seen = Arc::new(Seen::default());
        let peer =
            webrtc::open(peers, builder, |_| Arc::clone(&seen) as _, PeerOptions::new()).await?;
        let channel = peer.create_data_channel("echo", None).await?;
        peer.set_local_description(peer.create_offer(None).await?).await?;
        seen.gathered().await;
        let offer = peer.local_description().await?.ok_or("no description was set")?;
        let answer =
            client.ask(Method::POST, &format!("/whip/{STREAM}"), &offer.sdp).await?.expect(201)?;
        let location = answer.header(&header::LOCATION)?.to_owned();
        let answer = RTCSessionDescription::answer(answer.text()?.to_owned())?;
        peer.set_remote_description(answer).await?;
        loop {
            match channel.poll().await {
                Some(DataChannelEvent::OnOpen) => return Ok(Self { peer, channel, location }),
                Some(_) => {}
                None => return Err("the channel ended before it opened".into()),
            }
        }
    }

    async fn echo(&self) -> Tested {
        for number in 0..MESSAGES {
            self.channel.send_text(&format!("message {number}")).await?;
        }
        for number in 0..MESSAGES {
            loop {
                match self.channel.poll().await {
                    Some(DataChannelEvent::OnMessage(message)) => {
                        if message.data != format!("message {number}").as_bytes() {
                            return Err(format!("message {number} is another").into());
                        }
                        break;
                    }
                    Some(_) => {}
                    None => return Err(format!("it ended before message {number}").into()),
                }
            }
        }
        Ok(format!("{MESSAGES} messages came back"))
    }
}

struct Id(String);

impl Note for Id {
    fn note(&self) -> String {
        self.0.clone()
    }
}

impl std::ops::Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

async fn listed(client: &Client) -> Result<Id, Failure> {
    let path = format!("/webrtc/monitor/connections?state=connected&group={STREAM}");
    let list = client.get(&path).await?;
    is(&list["count"], &1.into())?;
    let ids = list["connections"].as_object().ok_or("expected an object")?;
    Ok(Id(ids.keys().next().ok_or("it is empty")?.clone()))
}

async fn detail(client: &Client, id: &str) -> Tested {
    let one = client.get(&format!("/webrtc/monitor/connections/{id}")).await?;
    let one = &one["connection"];
    is(&one["connection_state"], &"connected".into())?;
    is(&one["group"], &STREAM.into())?;
    let events = one["lifecycle_events"].as_array().map_or(0, Vec::len);
    let candidates = one["remote_candidates"].as_array().map_or(0, Vec::len);
    if events < 5 || candidates < 1 {
        return Err(format!(
            "expected its life, and not {events} events and {candidates} candidates"
        )
        .into());
    }
    Ok(format!("{events} events in its life"))
}

async fn statistics(client: &Client, id: &str) -> Tested {
    let stats = client.get(&format!("/webrtc/monitor/connections/{id}/stats")).await?;
    let sorts = stats["stats"].as_object().ok_or("expected an object")?.len();
    let diagnosis = client.get(&format!("/webrtc/monitor/connections/{id}/diagnosis")).await?;
    is(&diagnosis["diagnosis"], &Value::Null)?;
    if sorts == 0 {
        Err("there are none".into())
    } else {
        Ok(format!("{sorts} objects, nothing wrong"))
    }
}

async fn operations(client: &Client) -> Tested {
    client.get("/webrtc/monitor/operations").await?;
    let ended = client.get("/webrtc/monitor/operations?state=completed").await?;
    let ended = ended["operations"].as_object().ok_or("expected an object")?;
    let (id, _) = ended
        .iter()
        .find(|(_, it)| it["operation_type"] == "create_answer")
        .ok_or("no answer was made")?;
    let one = client.get(&format!("/webrtc/monitor/operations/{id}")).await?;
    is(&one["operation"]["status"], &"completed".into())?;
    Ok(format!("{} have ended", ended.len()))
}

async fn tasks(client: &Client, id: &str) -> Tested {
    let tasks = client.get("/webrtc/monitor/tasks").await?;
    is(&tasks["tasks"][id], &serde_json::json!(["echo"]))?;
    Ok("the echo is one".to_owned())
}

async fn dumps(client: &Client, id: &str) -> Tested {
    let path = format!("/webrtc/monitor/dump?connection={id}");
    let internals = client.get(&path).await?;
    let connections = internals["PeerConnections"].as_object().map_or(0, serde_json::Map::len);
    is(&connections.into(), &1.into())?;
    let rtcstats =
        client.ask(Method::GET, &format!("{path}&format=rtcstats"), "").await?.expect(200)?;
    if !rtcstats.text()?.starts_with("RTCStatsDump\n") {
        return Err("it is no RTCStatsDump".into());
    }
    Ok("in both formats".to_owned())
}

async fn metrics(client: &Client) -> Tested {
    let metrics = client.ask(Method::GET, "/metrics", "").await?.expect(200)?;
    let line = r#"webrtc_connections{state="connected"} 1"#;
    if metrics.text()?.lines().any(|it| it == line) {
        Ok(line.to_owned())
    } else {
        Err(format!("expected {line}").into())
    }
}

async fn unknown(client: &Client) -> Tested {
    let answer = client.post("/webrtc/connections/nobody/close").await?.expect(404)?;
    is(&answer.json()?["detail"], &"Connection not found".into())?;
    Ok("404, Connection not found".to_owned())
}

/// Whether a close that was answered has closed.
fn closed(answer: &Value) -> Result<(), Failure> {
    is(&answer["success"], &true.into())
}

async fn close(client: &Client, id: &str, session: &Session) -> Tested {
    let answer =
        client.post(&format!("/webrtc/connections/{id}/close")).await?.expect(200)?.json()?;
    closed(&answer)?;
    let known = client.get(&format!("/webrtc/monitor/connections/{id}")).await?;
    is(&known["connection"]["close"]["reason"], &"requested".into())?;
    // The other side is told.
    session.peer.closed().await;
    let (Some(outcome), Some(took)) = (answer["outcome"].as_str(), answer["duration_ms"].as_f64())
    else {
        return Err(format!("no outcome in {answer}").into());
    };
    Ok(format!("{outcome} in {took:.1} ms, and the other side was told"))
}

async fn test_route(client: &Client, peers: &Peers) -> Tested {
    is(&client.get("/webrtc/test/").await?["success"], &true.into())?;
    let _session = Session::open(client, peers).await?;
    let id = listed(client).await?;
    let answer = client.post(&format!("/webrtc/test/close/{}", &*id)).await?.expect(200)?.json()?;
    closed(&answer)?;
    let answer = client.post("/webrtc/test/close_all").await?.expect(200)?.json()?;
    is(&answer["connection_count"], &0.into())?;
    Ok(answer["operation"].to_string())
}

async fn delete(client: &Client, peers: &Peers) -> Tested {
    let session = Session::open(client, peers).await?;
    client.ask(Method::DELETE, &session.location, "").await?.expect(200)?;
    client.ask(Method::DELETE, &session.location, "").await?.expect(404)?;
    session.peer.closed().await;
    Ok("closed, and the other side was told".to_owned())
}

async fn stop(client: &Client, peers: &Peers) -> Tested {
    let sessions = futures::try_join!(Session::open(client, peers), Session::open(client, peers))?;
    client.post("/webrtc/stream/stop/nothing").await?.expect(404)?;
    let answer =
        client.post(&format!("/webrtc/stream/stop/{STREAM}")).await?.expect(200)?.json()?;
    closed(&answer)?;
    is(&answer["connections_closed"], &2.into())?;
    drop(sessions);
    Ok("2 of 2 closed".to_owned())
}

async fn close_all(client: &Client, peers: &Peers) -> Tested {
    let session = Session::open(client, peers).await?;
    let answer = client.post("/webrtc/connections/close-all").await?.expect(200)?.json()?;
    closed(&answer)?;
    is(&answer["connections_closed"], &1.into())?;
    drop(session);
    Ok("1 of 1 closed".to_owned())
}

async fn nothing_left(client: &Client) -> Tested {
    let list = client.get("/webrtc/monitor/connections").await?;
    is(&list["total"], &0.into())?;
    // Memory is free a moment after a close was answered.
    for _ in 0..100 {
        let summary = client.get("/webrtc/monitor/summary").await?;
        if summary["unreleased_connections"] == 0 && summary["pending_tasks"] == 0 {
            return Ok(format!("{} were there", summary["connection_states"]["closed"]));
        }
        Timer::after(Duration::from_millis(50)).await;
    }
    Err("closed connections are still held".into())
}
