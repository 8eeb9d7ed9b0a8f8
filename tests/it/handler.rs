//! What becomes of callbacks that take long, panic, or kill the driver.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::peer::{CloseMode, CloseOptions, CloseReason, ForceCause};
use anypeer::{Event, EventKind, Observer, Outcome, PeerOptions, Peers};

use crate::support::flag::Flag;
use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::Pair;
use crate::support::poll::block_on;

/// Writes down which callbacks were told to be stalled, and says when one was.
#[derive(Default)]
struct Stalls {
    callbacks: Mutex<Vec<(&'static str, Duration)>>,
    told: Flag,
}

impl Observer for Stalls {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::HandlerStalled { callback, held, .. } = event.kind {
            self.callbacks.lock().unwrap().push((callback, held));
            self.told.raise();
        }
    }
}

const BUDGET: Duration = Duration::from_millis(50);

#[test]
fn a_callback_beyond_its_budget_is_told_once_while_it_runs_and_goes_on() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let stalls = Arc::new(Stalls::default());
        let peers = Peers::builder()
            .runtime(host.runtime())
            .observer(Arc::clone(&stalls) as _)
            .handler_budget(BUDGET)
            .build();
        let finished = Arc::new(Flag::default());
        let (told, done) = (Arc::clone(&stalls), Arc::clone(&finished));
        let outcome = host.in_task(async move {
            let offerer =
                crate::support::loopback::open(&peers, PeerOptions::new()).await.expect("opens");
            let answerer =
                crate::support::loopback::open(&peers, PeerOptions::new()).await.expect("opens");
            let (stalled, over) = (Arc::clone(&told), Arc::clone(&done));
            // It waits until it is told to be stalled: it goes on after that, or never.
            *answerer.1.hook.lock().unwrap() = Some(Box::new(move || {
                Box::pin(async move {
                    stalled.told.wait().await;
                    over.raise();
                })
            }));
            let pair = Pair::connect(offerer, answerer).await.expect("connects");
            done.wait().await;
            pair.answerer.close().await
        });
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful), "on {backend:?}");
        let callbacks = stalls.callbacks.lock().unwrap().clone();
        let [(callback, held)] = callbacks[..] else {
            panic!("expected it to be told once on {backend:?}: {callbacks:?}")
        };
        assert_eq!(callback, "on_data_channel", "on {backend:?}");
        assert!(held >= BUDGET, "expected at least {BUDGET:?}, and it was {held:?}");
    }
}

#[test]
fn a_suspended_callback_from_under_which_the_driver_is_taken_is_told_to_be_stalled() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let stalls = Arc::new(Stalls::default());
        let observer = Arc::clone(&stalls) as Arc<dyn Observer>;
        let peers = Peers::builder().runtime(host.runtime()).observer(observer).build();
        let outcome = host.in_task(async move {
            let offerer =
                crate::support::loopback::open(&peers, PeerOptions::new()).await.expect("opens");
            let answerer =
                crate::support::loopback::open(&peers, PeerOptions::new()).await.expect("opens");
            let suspended = Arc::new(Flag::default());
            let raise = Arc::clone(&suspended);
            *answerer.1.hook.lock().unwrap() = Some(Box::new(move || {
                raise.raise();
                Box::pin(std::future::pending())
            }));
            let pair = Pair::connect(offerer, answerer).await.expect("connects");
            suspended.wait().await;
            pair.answerer.close_with(CloseOptions::new().grace(BUDGET)).await
        });
        let stalled = ForceCause::HandlerStalled("on_data_channel");
        assert_eq!(outcome, Outcome::Closed(CloseMode::Forced(stalled)), "on {backend:?}");
        let callbacks = stalls.callbacks.lock().unwrap().clone();
        let names: Vec<_> = callbacks.iter().map(|(callback, _)| *callback).collect();
        assert_eq!(names, ["on_data_channel"], "on {backend:?}");
    }
}

#[test]
fn a_driver_that_is_dropped_by_its_executor_is_a_reason_and_its_tasks_are_cancelled() {
    for &backend in BACKENDS.iter().filter(|backend| backend.can_be_dropped()) {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        let opening = peers.clone();
        let (peer, _) = host
            .in_task(
                async move { crate::support::loopback::open(&opening, PeerOptions::new()).await },
            )
            .expect("opens");
        host.stop().drop();
        let reason = block_on(peer.closed());
        assert_eq!(reason, CloseReason::Ended, "on {backend:?}");
        assert_eq!(peer.close_mode(), Some(CloseMode::Forced(ForceCause::RuntimeGone)));
        assert!(peer.tasks().token().is_cancelled(), "on {backend:?}");
        assert_eq!(peers.len(), 0, "expected it not to count on {backend:?}");
    }
}
