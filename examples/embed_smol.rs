//! A hyper server on smol that gains monitoring and cleanup:
//! `cargo run --release --features http --example embed_smol`.
//!
//! What it gains are the lines that are marked. With `--serve` it goes on until it is interrupted,
//! on port 8080; else it is visited once, and ends.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

#[path = "shared/flag.rs"]
mod flag;
#[path = "shared/loopback.rs"]
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;
#[path = "shared/visit.rs"]
mod visit;

use std::net::TcpListener;

use anypeer::Peers;
use anypeer::http::Api; // gained
use anypeer::monitor::Monitor; // gained
use anypeer::runtime::SmolSpawner;
use async_signal::{Signal, Signals};
use axum::Router;
use axum::body::Body;
use futures::StreamExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use loopback::Error;
use smol::Async;
use smol_hyper::rt::FuturesIo;
use tower_service::Service;

fn main() -> Result<(), Error> {
    let serve = std::env::args().any(|argument| argument == "--serve");
    let monitor = Monitor::new()?; // gained
    let peers = Peers::builder().runtime(SmolSpawner::new()).monitor(&monitor).build();
    let routes = Api::builder(&peers, &monitor).build()?.monitor_router(); // gained

    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], if serve { 8080 } else { 0 }))?;
    let address = listener.get_ref().local_addr()?;
    println!("listening on http://{address}/");
    smol::block_on(async {
        let over =
            async { if serve { interrupted().await } else { visit::visit(address, &peers).await } };
        smol::future::or(accept(listener, routes), over).await?;
        println!("{}", peers.shutdown().await); // gained: nothing is left
        Ok(())
    })
}

async fn interrupted() -> Result<(), Error> {
    Signals::new([Signal::Int])?.next().await;
    Ok(())
}

async fn accept(listener: Async<TcpListener>, routes: Router) -> Result<(), Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        let routes = routes.clone();
        let service = service_fn(move |request| answer(routes.clone(), request));
        let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), service);
        smol::spawn(connection).detach();
    }
}

async fn answer(
    mut routes: Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    if request.uri().path().starts_with("/webrtc/") {
        return routes.call(request).await; // gained
    }
    Ok(Response::new(Body::from("the server's own page")))
}
