//! `--run-tests`: a self-test with real peers, through the running server's own HTTP API.

mod closes;
mod reads;
mod session;
mod table;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anypeer::Peers;
use anypeer::runtime::Runtime;

use self::session::Session;
use self::table::{Table, timed};
use crate::args::Serve;
use crate::client::Client;
use crate::say;

/// Runs every test and prints its result. Returns whether all tests passed.
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

async fn tests(table: &mut Table, client: &Client, peers: &Peers, test_routes: bool) {
    table.test("health", reads::health(client)).await;
    table.test("summary", reads::summary(client)).await;
    let (followed, opened) = {
        let (ready, is_ready) = futures::channel::oneshot::channel();
        let follow = async {
            let is_opened = |event: &str| event.contains("\"type\":\"opened\"");
            let subscribed = || {
                let _heard = ready.send(());
            };
            client.follow(is_opened, subscribed).await?;
            Ok("the new connection is shown".to_owned())
        };
        let open = async {
            // The session is opened even if the event stream is not available.
            let _ready = is_ready.await;
            timed(Session::open(client, peers)).await
        };
        futures::join!(timed(follow), open)
    };
    table.print("live events", followed);
    let Some(session) = table.print("session through WHIP", opened) else { return };
    table.test("data channel", session.echo()).await;
    let Some(id) = table.test("connection is listed", reads::listed(client)).await else { return };
    table.test("connection details", reads::detail(client, &id)).await;
    table.test("statistics", reads::statistics(client, &id)).await;
    table.test("operations", reads::operations(client)).await;
    table.test("tasks", reads::tasks(client, &id)).await;
    table.test("dumps", reads::dumps(client, &id)).await;
    table.test("metrics", reads::metrics(client)).await;
    table.test("unknown connection", reads::unknown(client)).await;
    table.test("close by id", closes::close(client, &id, &session)).await;
    if test_routes {
        table.test("test routes", closes::test_route(client, peers)).await;
    }
    table.test("delete a session", closes::delete(client, peers)).await;
    table.test("stop a stream", closes::stop(client, peers)).await;
    table.test("close all", closes::close_all(client, peers)).await;
    table.test("no connections left", closes::nothing_left(client)).await;
}
