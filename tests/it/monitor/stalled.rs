//! A callback of the application that holds its connection's driver.

use std::sync::Arc;
use std::time::Duration;

use anypeer::monitor::{Health, HealthIssue, Level, Monitor, TimelineEvent};
use anypeer::peer::CloseOptions;
use anypeer::{PeerOptions, Peers};

use super::until;
use crate::support::flag::Flag;
use crate::support::host::{BACKENDS, Host, on_all_at_once};
use crate::support::loopback::{Pair, open};
use crate::support::poll::{PATIENCE, poll_in_task};

const BUDGET: Duration = Duration::from_millis(50);

/// Peers that `monitor` watches, with a small budget for callbacks.
pub(super) fn watched_by(monitor: &Monitor, host: &Host) -> Peers {
    let peers = Peers::builder().runtime(host.runtime()).monitor(monitor);
    peers.handler_budget(BUDGET).build()
}

/// Two connected peers, of which the answerer's driver is held by `on_data_channel` until it is let
/// go; and the flag that does that.
pub(super) async fn stalled_pair(peers: &Peers, answerer: &str) -> (Pair, Arc<Flag>) {
    let offerer = open(peers, PeerOptions::new()).await.expect("opens");
    let answerer = open(peers, PeerOptions::new().id(answerer)).await.expect("opens");
    let let_go = Arc::new(Flag::default());
    let held = Arc::clone(&let_go);
    *answerer.1.hook.lock().unwrap() =
        Some(Box::new(move || Box::pin(async move { held.wait().await })));
    (Pair::connect(offerer, answerer).await.expect("connects"), let_go)
}

/// Waits until so many connections are stalled.
async fn until_stalled(monitor: &Monitor, count: u64) {
    let stalled = || (monitor.summary().stalled_handlers == count).then_some(());
    let known = poll_in_task(PATIENCE, stalled).await;
    assert!(known.is_some(), "expected {count} stalled connections: {:?}", monitor.summary());
}

#[test]
fn a_stalled_handler_is_a_health_issue_until_it_returns() {
    on_all_at_once(|backend, host| {
        let monitor = Monitor::new().expect("threads");
        let peers = watched_by(&monitor, host);
        host.in_task(async move {
            let (pair, let_go) = stalled_pair(&peers, "held").await;
            until_stalled(&monitor, 1).await;
            let health = monitor.summary().health;
            assert_eq!(health, Health::Degraded(vec![HealthIssue::StalledHandlers(1)]));
            assert_eq!(health.to_string(), "degraded: 1 connection is held by a callback");
            let stalled = TimelineEvent::HandlerStalled("on_data_channel");
            assert_eq!(stalled.level(), Level::Warn);
            let info = monitor.connection("held").expect("it is known");
            assert!(info.timeline.iter().any(|(_, event)| *event == stalled), "on {backend:?}");
            let_go.raise();
            until_stalled(&monitor, 0).await;
            assert_eq!(monitor.summary().health, Health::Ok, "on {backend:?}");
            let returned = TimelineEvent::HandlerReturned("on_data_channel");
            until(&monitor, "held", "going on", |info| {
                info.timeline.iter().any(|(_, event)| *event == returned)
            })
            .await;
            drop(pair);
        });
    });
}

#[test]
fn a_stalled_handler_is_no_issue_once_its_connection_has_ended() {
    let host = Host::start(BACKENDS[0]);
    let monitor = Monitor::new().expect("threads");
    let peers = watched_by(&monitor, &host);
    host.in_task(async move {
        let (first, _) = stalled_pair(&peers, "first").await;
        let (second, _) = stalled_pair(&peers, "second").await;
        until_stalled(&monitor, 2).await;
        let now = CloseOptions::new().grace(Duration::ZERO);
        assert!(first.answerer.close_with(now).await.is_closed());
        until_stalled(&monitor, 1).await;
        assert!(peers.close_all().await.all_closed());
        until_stalled(&monitor, 0).await;
        drop((first, second));
    });
}
