//! An axum server on tokio that gains monitoring and cleanup:
//! `cargo run --release --features tokio,http --example embed_axum`.
//!
//! What it gains are the lines that are marked. With `--serve` it goes on until it is interrupted,
//! on port 8080; else it is visited once, and ends.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example locks, and prints"
)]

#[path = "shared/flag.rs"]
mod flag;
#[path = "shared/loopback.rs"]
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;
#[path = "shared/visit.rs"]
mod visit;

use anypeer::Peers;
use anypeer::http::Api; // gained
use anypeer::monitor::Monitor; // gained
use axum::Router;
use axum::routing::get;
use loopback::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let serve = std::env::args().any(|argument| argument == "--serve");
    let monitor = Monitor::new()?; // gained
    let peers = Peers::builder().monitor(&monitor).build(); // was `Peers::new()`
    let app = Router::new().route("/", get(|| async { "the server's own page" }));
    let api = Api::builder(&peers, &monitor).build()?; // gained
    let app = app.merge(api.monitor_router()); // gained

    let listener = TcpListener::bind(("127.0.0.1", if serve { 8080 } else { 0 })).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}/");
    let over = async {
        if serve { Ok(tokio::signal::ctrl_c().await?) } else { visit::visit(address, &peers).await }
    };
    tokio::select! {
        ended = axum::serve(listener, app) => ended?,
        over = over => over?,
    }
    println!("{}", peers.shutdown().await); // gained: nothing is left
    Ok(())
}
