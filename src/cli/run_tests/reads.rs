//! Tests of the routes that read.

use hyper::Method;
use serde_json::Value;

use super::session::STREAM;
use super::table::{Note, Tested, is};
use crate::client::{Client, Failure};

pub(super) async fn health(client: &Client) -> Tested {
    let health = client.get("/health").await?;
    health["status"].as_str().map(str::to_owned).ok_or_else(|| "expected a `status`".into())
}

pub(super) async fn summary(client: &Client) -> Tested {
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
            return Err(format!("expected `{key}`").into());
        }
    }
    Ok(format!("{} connections", summary["connection_states"]["total"]))
}

pub(super) struct Id(String);

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

pub(super) async fn listed(client: &Client) -> Result<Id, Failure> {
    let path = format!("/webrtc/monitor/connections?state=connected&group={STREAM}");
    let list = client.get(&path).await?;
    is(&list["count"], &1.into())?;
    let ids = list["connections"].as_object().ok_or("expected an object")?;
    Ok(Id(ids.keys().next().ok_or("expected one connection, got none")?.clone()))
}

pub(super) async fn detail(client: &Client, id: &str) -> Tested {
    let one = client.get(&format!("/webrtc/monitor/connections/{id}")).await?;
    let one = &one["connection"];
    is(&one["connection_state"], &"connected".into())?;
    is(&one["group"], &STREAM.into())?;
    let events = one["lifecycle_events"].as_array().map_or(0, Vec::len);
    let candidates = one["remote_candidates"].as_array().map_or(0, Vec::len);
    if events < 5 || candidates < 1 {
        let seen = format!("{events} events and {candidates} candidates");
        return Err(format!("expected at least 5 events and 1 candidate, got {seen}").into());
    }
    Ok(format!("{events} events in the timeline"))
}

pub(super) async fn statistics(client: &Client, id: &str) -> Tested {
    let stats = client.get(&format!("/webrtc/monitor/connections/{id}/stats")).await?;
    let sorts = stats["stats"].as_object().ok_or("expected an object")?.len();
    let diagnosis = client.get(&format!("/webrtc/monitor/connections/{id}/diagnosis")).await?;
    is(&diagnosis["diagnosis"], &Value::Null)?;
    if sorts == 0 {
        Err("expected statistics, got none".into())
    } else {
        Ok(format!("{sorts} objects, and no diagnosis"))
    }
}

pub(super) async fn operations(client: &Client) -> Tested {
    client.get("/webrtc/monitor/operations").await?;
    let ended = client.get("/webrtc/monitor/operations?state=completed").await?;
    let ended = ended["operations"].as_object().ok_or("expected an object")?;
    let (id, _) = ended
        .iter()
        .find(|(_, it)| it["operation_type"] == "create_answer")
        .ok_or("expected an operation `create_answer`, got none")?;
    let one = client.get(&format!("/webrtc/monitor/operations/{id}")).await?;
    is(&one["operation"]["status"], &"completed".into())?;
    Ok(format!("{} operations completed", ended.len()))
}

pub(super) async fn tasks(client: &Client, id: &str) -> Tested {
    let tasks = client.get("/webrtc/monitor/tasks").await?;
    is(&tasks["tasks"][id], &serde_json::json!(["echo"]))?;
    Ok("the task echo is listed".to_owned())
}

pub(super) async fn dumps(client: &Client, id: &str) -> Tested {
    let path = format!("/webrtc/monitor/dump?connection={id}");
    let internals = client.get(&path).await?;
    let connections = internals["PeerConnections"].as_object().map_or(0, serde_json::Map::len);
    is(&connections.into(), &1.into())?;
    let rtcstats =
        client.ask(Method::GET, &format!("{path}&format=rtcstats"), "").await?.expect(200)?;
    if !rtcstats.text()?.starts_with("RTCStatsDump\n") {
        return Err("expected an RTCStatsDump".into());
    }
    Ok("both formats".to_owned())
}

pub(super) async fn metrics(client: &Client) -> Tested {
    let metrics = client.ask(Method::GET, "/metrics", "").await?.expect(200)?;
    let line = r#"webrtc_connections{state="connected"} 1"#;
    if metrics.text()?.lines().any(|it| it == line) {
        Ok(line.to_owned())
    } else {
        Err(format!("expected the line `{line}`").into())
    }
}

pub(super) async fn unknown(client: &Client) -> Tested {
    let answer = client.post("/webrtc/connections/nobody/close").await?.expect(404)?;
    is(&answer.json()?["detail"], &"Connection not found".into())?;
    Ok("404, Connection not found".to_owned())
}
