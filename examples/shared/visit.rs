//! A visitor of a server that was given monitoring: connects peers, looks at them over HTTP, closes
//! them, and looks again.

use std::net::{SocketAddr, TcpStream};

use anypeer::{PeerOptions, Peers};
use async_io::Async;
use futures::{AsyncReadExt, AsyncWriteExt};
use serde_json::Value;

use crate::loopback::{Error, Pair};

/// Asks, and says what was answered.
pub(crate) async fn ask(address: SocketAddr, question: &str) -> Result<String, Error> {
    let mut stream = Async::<TcpStream>::connect(address).await?;
    let request = format!("{question} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("expected an answer")?;
    println!("{question}\n  {body:.160}");
    Ok(body.to_owned())
}

/// Fails if the server does not show and close what it has.
pub(crate) async fn visit(address: SocketAddr, peers: &Peers) -> Result<(), Error> {
    let room = |id: &str| PeerOptions::new().id(id).group("room");
    let pair = Pair::open(peers, room("alice"), room("bob")).await?;
    ask(address, "GET /").await?;
    let summary: Value = serde_json::from_str(&ask(address, "GET /webrtc/monitor/summary").await?)?;
    if summary["connection_states"]["connected"] != 2 {
        return Err(format!("expected two to be connected: {summary}").into());
    }
    let stopped = ask(address, "POST /webrtc/stream/stop/room").await?;
    let stopped: Value = serde_json::from_str(&stopped)?;
    if stopped["success"] != true || stopped["connections_closed"] != 2 {
        return Err(format!("expected both to be closed: {stopped}").into());
    }
    drop(pair);
    let summary: Value = serde_json::from_str(&ask(address, "GET /webrtc/monitor/summary").await?)?;
    if summary["connection_states"]["closed"] != 2 {
        return Err(format!("expected both to be known as closed: {summary}").into());
    }
    Ok(())
}
