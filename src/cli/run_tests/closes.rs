//! Tests of the routes that close connections.

use std::time::Duration;

use anypeer::Peers;
use async_io::Timer;
use hyper::Method;
use serde_json::Value;

use super::reads::listed;
use super::session::{STREAM, Session};
use super::table::{Tested, is};
use crate::client::{Client, Failure};

/// Checks that a close was answered with success.
fn closed(answer: &Value) -> Result<(), Failure> {
    is(&answer["success"], &true.into())
}

pub(super) async fn close(client: &Client, id: &str, session: &Session) -> Tested {
    let answer =
        client.post(&format!("/webrtc/connections/{id}/close")).await?.expect(200)?.json()?;
    closed(&answer)?;
    let known = client.get(&format!("/webrtc/monitor/connections/{id}")).await?;
    is(&known["connection"]["close"]["reason"], &"requested".into())?;
    // The remote side of the connection ends too.
    session.peer.closed().await;
    let (Some(outcome), Some(took)) = (answer["outcome"].as_str(), answer["duration_ms"].as_f64())
    else {
        return Err(format!("expected an outcome, got {answer}").into());
    };
    Ok(format!("{outcome} in {took:.1} ms, and the remote side was notified"))
}

pub(super) async fn test_route(client: &Client, peers: &Peers) -> Tested {
    is(&client.get("/webrtc/test/").await?["success"], &true.into())?;
    let _session = Session::open(client, peers).await?;
    let id = listed(client).await?;
    let answer = client.post(&format!("/webrtc/test/close/{}", &*id)).await?.expect(200)?.json()?;
    closed(&answer)?;
    let answer = client.post("/webrtc/test/close_all").await?.expect(200)?.json()?;
    is(&answer["connection_count"], &0.into())?;
    Ok(answer["operation"].to_string())
}

pub(super) async fn delete(client: &Client, peers: &Peers) -> Tested {
    let session = Session::open(client, peers).await?;
    client.ask(Method::DELETE, &session.location, "").await?.expect(200)?;
    client.ask(Method::DELETE, &session.location, "").await?.expect(404)?;
    session.peer.closed().await;
    Ok("closed, and the remote side was notified".to_owned())
}

pub(super) async fn stop(client: &Client, peers: &Peers) -> Tested {
    let sessions = futures::try_join!(Session::open(client, peers), Session::open(client, peers))?;
    client.post("/webrtc/stream/stop/nothing").await?.expect(404)?;
    let answer =
        client.post(&format!("/webrtc/stream/stop/{STREAM}")).await?.expect(200)?.json()?;
    closed(&answer)?;
    is(&answer["connections_closed"], &2.into())?;
    drop(sessions);
    Ok("2 of 2 closed".to_owned())
}

pub(super) async fn close_all(client: &Client, peers: &Peers) -> Tested {
    let session = Session::open(client, peers).await?;
    let answer = client.post("/webrtc/connections/close-all").await?.expect(200)?.json()?;
    closed(&answer)?;
    is(&answer["connections_closed"], &1.into())?;
    drop(session);
    Ok("1 of 1 closed".to_owned())
}

pub(super) async fn nothing_left(client: &Client) -> Tested {
    let list = client.get("/webrtc/monitor/connections").await?;
    is(&list["total"], &0.into())?;
    // Memory is freed a moment after the close was answered.
    for _ in 0..100 {
        let summary = client.get("/webrtc/monitor/summary").await?;
        if summary["unreleased_connections"] == 0 && summary["pending_tasks"] == 0 {
            return Ok(format!("{} connections closed", summary["connection_states"]["closed"]));
        }
        Timer::after(Duration::from_millis(50)).await;
    }
    Err("closed connections are still held".into())
}
