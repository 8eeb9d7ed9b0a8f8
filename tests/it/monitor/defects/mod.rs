//! The defects of the Python original, each by its number in the list of what was measured.

#[cfg(feature = "webrtc")]
mod peers;

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use anypeer::monitor::{Limits, Monitor, OperationOutcome};
use anypeer::{OperationId, Outcome};

use super::watched;
use crate::support::folder::Folder;
use crate::support::host::{BACKENDS, Host};
use crate::support::poll::{PATIENCE, block_on};
use crate::support::process;

fn outcome(monitor: &Monitor, id: OperationId) -> OperationOutcome {
    let info = monitor.operation(id).expect("it is known by the id that the caller has");
    info.outcome.expect("it has ended")
}

/// An error with a source.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the codec is broken")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&fmt::Error)
    }
}

#[test]
fn defect_3_an_operation_has_one_end_whatever_its_result_is_and_also_if_it_is_cancelled() {
    let monitor = Monitor::new().expect("threads");
    // No result but a text, a number, nothing: all are completed.
    let text = monitor.new_operation("text").start();
    let id = text.id();
    text.complete_with("done");
    assert_eq!(outcome(&monitor, id), OperationOutcome::Completed(Some("done".into())));
    assert_eq!(block_on(monitor.new_operation("number").run(async { 7 })), 7);

    let failed = monitor.new_operation("encode").try_run(async { Err::<(), _>(Broken) });
    let id = failed.id().expect("it has started");
    block_on(failed).expect_err("it fails");
    let chain = [Box::from("the codec is broken"), fmt::Error.to_string().into()].into();
    assert_eq!(outcome(&monitor, id), OperationOutcome::Failed(chain), "expected the whole chain");

    let mut never = Box::pin(monitor.new_operation("wait").run(std::future::pending::<()>()));
    let id = never.id().expect("it has started");
    let _pending = block_on(async { futures::poll!(never.as_mut()) });
    drop(never);
    assert_eq!(
        outcome(&monitor, id),
        OperationOutcome::Cancelled,
        "expected a dropped future to be an end"
    );
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        monitor.new_operation("panic").call(|| panic!("deliberate"));
    }));
    assert!(panics.is_err());
    let counts = monitor.summary().operations;
    assert_eq!((counts.completed, counts.failed, counts.cancelled), (2, 1, 2));
    assert_eq!(counts.in_flight(), 0);
}

#[test]
fn defect_5_every_operation_has_an_id_of_its_own_and_it_is_the_monitors() {
    let limits = Limits::new().finished_operations(2000);
    let monitor = Monitor::builder().limits(limits).build().expect("threads");
    let ids: HashSet<OperationId> = (0..1000)
        .map(|_| {
            let operation = monitor.new_operation("quick").start();
            let id = operation.id();
            operation.complete();
            id
        })
        .collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| monitor.operation(*id).is_some_and(|info| info.id == *id)));
    let one = ids.iter().next().expect("there are some");
    assert_eq!(one.to_string().parse(), Ok(*one), "expected its text to be an id again");
}

#[test]
fn defect_6_unknown_ids_leave_no_phantoms() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        for number in 0..3000 {
            assert_eq!(peers.close(format!("random-{number}")).await, Outcome::NotFound);
        }
        drop(peers.close_group("nobody's"));
        drop(peers.close_all());
        let summary = monitor.summary();
        assert_eq!(summary.states.total(), 0, "expected no connection to come of it");
        assert!(monitor.connections(0, 10).is_empty() && monitor.closed().is_empty());
        assert_eq!((summary.operations.failed, summary.operations.in_flight()), (3001, 0));
    });
}

#[test]
fn defect_8_no_duration_is_taken_from_the_wall_clock() {
    let folder = Folder::new();
    let command = process::preloaded(&folder, "falling_clock");
    let saw = process::run_as(command, "monitor::defects::child", "clock", PATIENCE);
    println!("{}", saw.unwrap_or_else(|failure| panic!("{failure}")));
}

/// Under a wall clock that falls by an hour each time that it is read. The times that are shown come
/// of one reading, so they are in the order in which things happened, and as far apart.
#[test]
#[ignore = "needs a clock of its own, and is run in a process of its own"]
fn child() {
    const LEAST: Duration = Duration::from_millis(20);
    process::task();
    let (first, then) = (SystemTime::now(), SystemTime::now());
    assert!(then < first - Duration::from_secs(3000), "expected the clock to fall");
    let begun = Instant::now();
    let monitor = Monitor::new().expect("threads");
    let ids = ["first", "second"].map(|kind| {
        let operation = monitor.new_operation(kind).start();
        let id = operation.id();
        std::thread::sleep(LEAST);
        operation.complete();
        id
    });
    let [first, second] = ids.map(|id| monitor.operation(id).expect("it is known"));
    let uptime = monitor.summary().uptime;
    let most = begun.elapsed();
    let apart = second.started_at.duration_since(first.started_at);
    let apart = apart.expect("expected the order in which they were started");
    for measured in [first.duration, second.duration, apart, uptime] {
        assert!((LEAST..=most).contains(&measured), "expected {LEAST:?} to {most:?}: {measured:?}");
    }
    process::report(&format!("two operations in {most:?}, {apart:?} apart"));
}
