//! A server with a leak, to see what one looks like:
//! `cargo run --release --features http --example leak -- --port 8080`.
//!
//! It closes a connection and keeps one of its data channels, which keeps the connection's memory.
//! Nothing says so but the monitor: see `webrtc_connections_unreleased` in `/metrics`, which an alert
//! of `dashboards/rules.yml` is about, and what holds it in
//! `/webrtc/monitor/connections/alice`. It ends with its standard input.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

#[path = "shared/loopback.rs"]
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;

use std::net::TcpListener;

use anypeer::http::{Api, ServeOptions};
use anypeer::monitor::Monitor;
use anypeer::runtime::SmolSpawner;
use anypeer::{PeerOptions, Peers};
use loopback::{Error, Pair};

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--port").skip(1);
    let port = arguments.next().map_or(Ok(8080), |port| port.parse::<u16>())?;
    let monitor = Monitor::new()?;
    let peers = Peers::builder().runtime(SmolSpawner::new()).monitor(&monitor).build();
    let named = |id: &str| PeerOptions::new().id(id);
    let leaked = smol::block_on(async {
        let pair = Pair::open(&peers, named("alice"), named("bob")).await?;
        println!("{}", peers.close_all().await);
        Ok::<_, Error>(pair.channel)
    })?;
    let api = Api::builder(&peers, &monitor).build()?;
    let options = ServeOptions::new().runtime(SmolSpawner::new());
    let serving = api.serve(TcpListener::bind(("127.0.0.1", port))?, options)?;
    println!("listening on http://{}/", serving.local_addr());
    for held in peers.retained() {
        let by: Vec<_> = held.by.iter().map(ToString::to_string).collect();
        println!("{} is held by {}", held.peer, by.join(", "));
    }
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    drop(leaked);
    Ok(())
}
