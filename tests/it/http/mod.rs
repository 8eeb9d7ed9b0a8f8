//! All of it over HTTP, on every backend.

mod access;
mod control;
mod events;
mod mount;
mod same;
mod serve;
mod whip;

use std::net::{SocketAddr, TcpListener};

use anypeer::Peers;
use anypeer::http::{Api, ApiBuilder, ServeOptions, Serving};
use anypeer::monitor::{Monitor, SampleOptions};
use anypeer::runtime::Runtime;

/// A monitor that nothing changes by itself, and peers that it watches.
fn watched(runtime: Runtime) -> (Monitor, Peers) {
    let sample = SampleOptions::new().interval(std::time::Duration::from_secs(3600));
    let monitor = Monitor::builder().sample(sample).build().expect("threads");
    let peers = Peers::builder().runtime(runtime).monitor(&monitor).build();
    (monitor, peers)
}

fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// Serves on a runtime, with `options` added.
fn serve(
    peers: &Peers,
    monitor: &Monitor,
    runtime: Runtime,
    options: impl FnOnce(ApiBuilder) -> ApiBuilder,
) -> (Serving, SocketAddr) {
    let api = options(Api::builder(peers, monitor)).build().expect("threads");
    let serving = api.serve(loopback(), ServeOptions::new().runtime(runtime)).expect("serves");
    let address = serving.local_addr();
    (serving, address)
}
