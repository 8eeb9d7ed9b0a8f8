//! Supervised tasks: their ends, their groups, and what closes make of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, CloseOptions, PeerReport};
use anypeer::runtime::{ExecutorSpawner, JoinError};
use anypeer::task::{CancelReason, TaskEnd, TaskGroup};
use anypeer::{Event, EventKind, Observer, Outcome, Peer, PeerOptions, Peers};
use async_executor::Executor;

use crate::support::fake::{Conduct, Fake};
use crate::support::flag::Flag;
use crate::support::host::{self, BACKENDS, Host, Undriven};
use crate::support::panics::{DELIBERATE, caught, hush};
use crate::support::poll::{PATIENCE, block_on, until};
use crate::support::process;

async fn panics() {
    panic!("{DELIBERATE}");
}

/// Writes down the ends of tasks by name.
#[derive(Default)]
struct Ends {
    started: AtomicUsize,
    ends: Mutex<BTreeMap<&'static str, Vec<TaskEnd>>>,
    stuck: Mutex<Vec<String>>,
}

impl Observer for Ends {
    fn on_event(&self, event: &Event<'_>) {
        match event.kind {
            EventKind::TaskStarted { .. } => {
                self.started.fetch_add(1, Ordering::AcqRel);
            }
            EventKind::TaskEnded { task, end } => {
                let mut ends = self.ends.lock().unwrap();
                ends.entry(task.name).or_default().push(end.clone());
            }
            EventKind::TasksStuck { tasks } => {
                let peer = event.peer.expect("a peer was closed");
                let names = tasks.named.iter().map(|task| format!("{peer}/{}", task.name));
                self.stuck.lock().unwrap().extend(names);
            }
            _ => {}
        }
    }
}

impl Ends {
    fn of(&self, name: &str) -> Vec<TaskEnd> {
        self.ends.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.ends.lock().unwrap().values().map(Vec::len).sum()
    }
}

fn watched(host: &Host) -> (TaskGroup, Arc<Ends>) {
    let ends = Arc::new(Ends::default());
    let observer = Arc::clone(&ends) as Arc<dyn Observer>;
    let group = TaskGroup::builder(host.runtime()).observer(observer).build();
    (group.expect("threads can be started"), ends)
}

#[test]
fn each_end_of_a_task_is_told_once_as_what_it_is() {
    hush();
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let (group, ends) = watched(&host);
        let tasks = group.clone();
        let (ok, failed, panicked, aborted, late) = host.in_task(async move {
            let group = tasks;
            let ok = group.spawn("ok", async { 7 }).await;
            let failed = group.task("error").try_spawn(async { Err::<(), _>("refused") }).await;
            let panicked = group.spawn("panic", panics()).await;
            let waits = group.spawn("abort", std::future::pending::<()>());
            waits.abort();
            let late = group.task("deadline").timeout(Duration::from_millis(20));
            let late = late.spawn(std::future::pending::<()>());
            (ok, failed, panicked, waits.await, late.await)
        });
        assert_eq!(ok, Ok(7), "on {backend:?}");
        assert_eq!(failed, Ok(Err("refused")), "on {backend:?}");
        assert_eq!(panicked, Err(JoinError::Panicked(DELIBERATE.to_owned())), "on {backend:?}");
        assert_eq!(aborted, Err(JoinError::Cancelled), "on {backend:?}");
        assert_eq!(late, Err(JoinError::Cancelled), "on {backend:?}");
        for (name, end) in [
            ("ok", TaskEnd::Completed),
            ("error", TaskEnd::Failed(String::from("refused"))),
            ("panic", TaskEnd::Panicked(DELIBERATE.to_owned())),
            ("abort", TaskEnd::Cancelled(CancelReason::Aborted)),
            ("deadline", TaskEnd::Cancelled(CancelReason::DeadlineExceeded)),
        ] {
            assert_eq!(ends.of(name), [end], "expected one end of {name:?} on {backend:?}");
        }
        assert_eq!(ends.started.load(Ordering::Acquire), 5, "on {backend:?}");
        assert!(group.is_empty(), "on {backend:?}: {group:?}");
    }
}

#[test]
fn a_task_is_lost_with_its_executor() {
    for &backend in BACKENDS.iter().filter(|backend| backend.can_be_dropped()) {
        let host = Host::start(backend);
        let (group, ends) = watched(&host);
        let mut waits = group.spawn("waits", std::future::pending::<()>());
        let counted = group.track(std::future::pending::<()>());
        host.stop().drop();
        assert_eq!(waits.wait(PATIENCE).unwrap(), Err(JoinError::Lost), "on {backend:?}");
        let mut refused = group.spawn("refused", async {});
        assert_eq!(refused.wait(PATIENCE).unwrap(), Err(JoinError::Lost), "on {backend:?}");
        assert_eq!(ends.of("waits"), [TaskEnd::Lost], "on {backend:?}");
        assert_eq!(ends.of("refused"), [TaskEnd::Lost], "on {backend:?}");
        assert!(group.is_empty(), "expected counted ones to be gone too: {group:?}");
        drop(counted);
    }
}

#[test]
fn a_batch_of_a_hundred_returns_every_result_in_order() {
    hush();
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let (group, ends) = watched(&host);
        let results = host.in_task(async move {
            let batch = group.task("batch").try_spawn_all((0..100).map(|i| async move {
                match i {
                    _ if i % 10 == 3 => Err(format!("{i} failed")),
                    _ if i % 10 == 7 => panic!("{DELIBERATE}"),
                    42 => std::future::pending().await,
                    i => Ok(i),
                }
            }));
            batch.tasks()[42].abort();
            batch.await
        });
        assert_eq!(results.len(), 100, "on {backend:?}");
        for (i, result) in results.into_iter().enumerate() {
            let expected = match i {
                _ if i % 10 == 3 => Ok(Err(format!("{i} failed"))),
                _ if i % 10 == 7 => Err(JoinError::Panicked(DELIBERATE.to_owned())),
                42 => Err(JoinError::Cancelled),
                i => Ok(Ok(i)),
            };
            assert_eq!(result, expected, "of task {i} on {backend:?}");
        }
        let ends = ends.of("batch");
        let count = |end: fn(&TaskEnd) -> bool| ends.iter().filter(|e| end(e)).count();
        assert_eq!(ends.len(), 100, "expected an end for each on {backend:?}");
        assert_eq!(count(|end| matches!(end, TaskEnd::Completed)), 79);
        assert_eq!(count(|end| matches!(end, TaskEnd::Failed(_))), 10);
        assert_eq!(count(|end| matches!(end, TaskEnd::Panicked(_))), 10);
        assert_eq!(count(|end| matches!(end, TaskEnd::Cancelled(_))), 1);
    }
}

#[test]
fn idle_waits_for_every_task_and_can_be_awaited_on_another_executor() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let (group, _) = watched(&host);
        block_on(group.idle());
        let go = Arc::new(Flag::default());
        let ran = Arc::new(AtomicUsize::new(0));
        for i in 0..10 {
            let (go, ran) = (Arc::clone(&go), Arc::clone(&ran));
            let task = async move {
                go.wait().await;
                ran.fetch_add(1, Ordering::AcqRel);
            };
            match i % 2 {
                0 => drop(group.spawn("waits", task)),
                _ => drop(group.track(task)),
            }
        }
        assert_eq!(group.len(), 10, "on {backend:?}");
        let mut idle = Box::pin(group.idle());
        let mut polled = || block_on(futures::future::poll_immediate(&mut idle));
        assert!(polled().is_none(), "expected it to wait on {backend:?}");
        go.raise();
        block_on(idle);
        assert_eq!(ran.load(Ordering::Acquire), 10, "on {backend:?}");
    }
}

#[test]
fn a_cancelled_group_drops_its_tasks_asks_cooperative_ones_and_refuses_new_ones() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let (group, ends) = watched(&host);
        drop(group.spawn("plain", std::future::pending::<()>()));
        let token = group.token().clone();
        let mut asked = group.task("asked").cooperative(true).spawn(async move {
            token.cancelled().await;
            "in order"
        });
        let deaf = group.task("deaf").cooperative(true).spawn(std::future::pending::<()>());
        let counted = {
            let token = group.token().clone();
            group
                .track(async move { token.run_until_cancelled(std::future::pending::<()>()).await })
        };
        group.cancel();
        assert_eq!(asked.wait(PATIENCE).unwrap(), Ok("in order"), "on {backend:?}");
        assert_eq!(host.in_task(counted), Ok(None), "on {backend:?}");
        let refused = host.in_task(group.spawn("refused", async {}));
        assert_eq!(refused, Err(JoinError::Cancelled), "on {backend:?}");
        assert_eq!(host.in_task(group.track(async {})), Err(JoinError::Lost), "on {backend:?}");
        assert_eq!(group.len(), 1, "expected the deaf one to be left on {backend:?}");
        let grace = Duration::from_millis(20);
        let options = CloseOptions::new().grace(grace).timeout(PATIENCE);
        let stuck = host.in_task(group.shutdown(options));
        assert!(stuck.is_empty(), "expected it to be dropped after the grace: {stuck}");
        assert_eq!(host.in_task(deaf), Err(JoinError::Cancelled), "on {backend:?}");
        let by_group = TaskEnd::Cancelled(CancelReason::Group);
        for (name, end) in [
            ("plain", by_group.clone()),
            ("asked", TaskEnd::Completed),
            ("deaf", by_group.clone()),
            ("refused", by_group),
        ] {
            assert_eq!(ends.of(name), [end], "of {name:?} on {backend:?}");
        }
    }
}

#[test]
fn dropping_the_last_handle_of_a_group_cancels_it() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let (group, ends) = watched(&host);
        let (waits, other) = (group.spawn("waits", std::future::pending::<()>()), group.clone());
        drop(group);
        assert!(
            waits.info().is_some_and(|task| task.stopping_for.is_none()),
            "expected it to go on"
        );
        drop(other);
        assert_eq!(host.in_task(waits), Err(JoinError::Cancelled), "on {backend:?}");
        assert_eq!(ends.of("waits"), [TaskEnd::Cancelled(CancelReason::Group)]);
    }
}

#[test]
fn tasks_are_known_by_name_and_place_and_their_polls_are_timed_where_asked() {
    let host = Host::start(BACKENDS[0]);
    let group = TaskGroup::builder(host.runtime()).timed(true).build().expect("threads");
    let go = Arc::new(Flag::default());
    let (wait, line) = (Arc::clone(&go), line!() + 1);
    let task = group.spawn("waits", async move {
        std::thread::sleep(Duration::from_millis(5));
        wait.wait().await;
    });
    until("it to be polled", || {
        let polls = task.info().and_then(|task| task.polls);
        polls.is_some_and(|polls| polls.polls > 0)
    });
    let known = group.tasks();
    let [info] = &known[..] else { panic!("expected one task: {known:?}") };
    assert_eq!(Some(info.id), task.info().map(|task| task.id));
    assert_eq!((info.name, &info.peer), ("waits", &None));
    assert!(info.location.file().ends_with("task.rs"), "{info}");
    assert_eq!(info.location.line(), line, "{info}");
    let polls = info.polls.expect("a timed group times");
    assert!(polls.longest >= Duration::from_millis(5), "{polls:?}");
    assert!(polls.busy >= polls.longest && info.age >= polls.busy, "{info:?}");
    go.raise();
    host.in_task(group.idle());
    assert_eq!(task.info(), None, "expected nothing to be known of one that has ended");
}

fn quick(peers: &Peers, id: usize) -> Peer {
    let options = PeerOptions::new().id(id.to_string());
    peers.insert(Arc::new(Fake::new().cooperative()), options).expect("inserted")
}

/// An executor that four threads drive, so that three can be held.
struct Crew {
    executor: Arc<Executor<'static>>,
    over: Arc<Flag>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Crew {
    fn start() -> Self {
        let (executor, over) = (Arc::new(Executor::new()), Arc::new(Flag::default()));
        let work = || {
            let (executor, over) = (Arc::clone(&executor), Arc::clone(&over));
            std::thread::spawn(move || smol::block_on(executor.run(over.wait())))
        };
        let threads = (0..4).map(|_| work()).collect();
        Self { executor, over, threads }
    }

    fn stop(self) {
        self.over.raise();
        for thread in self.threads {
            thread.join().expect("it ends");
        }
    }
}

#[test]
fn close_all_joins_ten_thousand_tasks_of_a_hundred_peers_and_names_the_three_stuck_ones() {
    const PEERS: usize = 100;
    const TASKS: usize = 100;
    const STUCK: [usize; 3] = [17, 42, 99];
    let bounds =
        CloseOptions::new().timeout(Duration::from_secs(3)).grace(Duration::from_millis(1000));
    let _alone = process::load();
    host::on_all_at_once(|backend, host| {
        let crew = Crew::start();
        let ends = Arc::new(Ends::default());
        let builder = Peers::builder().runtime(host.runtime()).close(bounds);
        let peers = builder.observer(Arc::clone(&ends) as _).build();
        let owners: Vec<_> = (0..PEERS)
            .map(|id| {
                let options = PeerOptions::new().id(id.to_string());
                // A task that holds its thread would hold all others there as well.
                let options = match STUCK.contains(&id) {
                    true => options.runtime(ExecutorSpawner::new(&crew.executor)),
                    false => options,
                };
                peers.insert(Arc::new(Fake::new().cooperative()), options).expect("inserted")
            })
            .collect();
        let release = Arc::new(AtomicBool::new(false));
        let holding = Arc::new(AtomicUsize::new(0));
        for (id, owner) in owners.iter().enumerate() {
            let group = owner.tasks();
            let stuck = STUCK.contains(&id);
            for i in 0..TASKS - usize::from(stuck) {
                if i % 2 == 0 {
                    drop(group.spawn("plain", std::future::pending::<()>()));
                } else {
                    let token = group.token().clone();
                    let asked = async move { token.cancelled().await };
                    drop(group.task("cooperative").cooperative(true).spawn(asked));
                }
            }
            if stuck {
                let (release, holding) = (Arc::clone(&release), Arc::clone(&holding));
                drop(group.spawn("stuck", async move {
                    holding.fetch_add(1, Ordering::AcqRel);
                    while !release.load(Ordering::Acquire) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }));
            }
        }
        until("the three to hold their threads", || holding.load(Ordering::Acquire) == STUCK.len());
        let groups: Vec<_> = owners.iter().map(|owner| owner.tasks().clone()).collect();
        assert_eq!(groups.iter().map(TaskGroup::len).sum::<usize>(), PEERS * TASKS);
        let start = Instant::now();
        let report = block_on(peers.close_all());
        let took = start.elapsed();
        assert!(report.all_closed(), "on {backend:?}: {report}");
        assert!(took < Duration::from_secs(5), "expected 3 s, and it took {took:?}");
        let mut stuck = Vec::new();
        for PeerReport { peer, stuck: tasks, .. } in &report.peers {
            stuck.extend(tasks.named.iter().map(|task| {
                assert_eq!(task.peer.as_ref(), Some(peer));
                format!("{peer}/{}", task.name)
            }));
            assert_eq!(tasks.unnamed, 0, "on {backend:?}: {tasks}");
        }
        stuck.sort_unstable();
        let expected = ["17/stuck", "42/stuck", "99/stuck"];
        assert_eq!(stuck, expected, "expected the three to be named on {backend:?}: {report}");
        let mut told = ends.stuck.lock().unwrap().clone();
        told.sort_unstable();
        assert_eq!(told, expected, "expected them to be told on {backend:?}");
        assert_eq!(groups.iter().map(TaskGroup::len).sum::<usize>(), 3, "on {backend:?}");
        release.store(true, Ordering::Release);
        for group in &groups {
            block_on(group.idle());
        }
        assert_eq!(ends.started.load(Ordering::Acquire), PEERS * TASKS, "on {backend:?}");
        assert_eq!(ends.count(), PEERS * TASKS, "expected one end for each on {backend:?}");
        crew.stop();
    });
}

#[test]
fn tasks_on_an_executor_that_nobody_drives_are_named_within_the_bound() {
    for &backend in BACKENDS.iter().filter(|backend| backend.can_stand_still()) {
        let host = Host::start(backend);
        let runtime = host.runtime();
        let bounds = CloseOptions::new()
            .timeout(Duration::from_millis(400))
            .grace(Duration::from_millis(100));
        let peers = Peers::builder().runtime(runtime).close(bounds).build();
        let owner = quick(&peers, 1);
        let undriven: Undriven = host.stop();
        drop(owner.tasks().spawn("first", std::future::pending::<()>()));
        drop(owner.tasks().spawn("second", std::future::pending::<()>()));
        let report = peers.close_all().wait(PATIENCE).expect("a plain thread may block");
        let [peer] = &report.peers[..] else { panic!("expected one peer: {report}") };
        let mut names: Vec<_> = peer.stuck.named.iter().map(|task| task.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["first", "second"], "on {backend:?}: {report}");
        undriven.drop();
        assert!(owner.tasks().is_empty(), "expected them to be gone with their executor");
    }
}

#[test]
fn a_peer_that_is_closed_or_dropped_cancels_its_tasks_and_refuses_new_ones() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        let owner = quick(&peers, 1);
        let waits = owner.tasks().spawn("waits", std::future::pending::<()>());
        let closing = owner.close();
        let late = owner.tasks().spawn("late", std::future::pending::<()>());
        assert_eq!(host.in_task(closing), Outcome::Closed(CloseMode::Graceful));
        assert_eq!(host.in_task(waits), Err(JoinError::Cancelled), "on {backend:?}");
        assert_eq!(host.in_task(late), Err(JoinError::Cancelled), "on {backend:?}");

        let dropped = quick(&peers, 2);
        let waits = dropped.tasks().spawn("waits", std::future::pending::<()>());
        drop(dropped);
        assert_eq!(host.in_task(waits), Err(JoinError::Cancelled), "on {backend:?}");
    }
}

#[test]
fn a_shutdown_ends_the_tasks_of_the_set_too_and_no_other_close_does() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        let waits = peers.tasks().expect("threads").spawn("waits", std::future::pending::<()>());
        host.in_task(peers.close_all());
        assert!(
            waits.info().is_some_and(|task| task.stopping_for.is_none()),
            "expected it to go on"
        );
        let report = host.in_task(peers.shutdown());
        assert!(report.stuck.is_empty(), "on {backend:?}: {report}");
        assert_eq!(host.in_task(waits), Err(JoinError::Cancelled), "on {backend:?}");
        let late = peers.tasks().expect("threads").spawn("late", async {});
        assert_eq!(host.in_task(late), Err(JoinError::Cancelled), "on {backend:?}");
    }
}

#[test]
fn the_tasks_of_a_set_end_with_its_last_handle_also_those_that_take_no_notice() {
    let bounds = CloseOptions::new().grace(Duration::from_millis(20));
    let peers = Peers::builder().close(bounds).build();
    let tasks = peers.tasks().expect("threads");
    let deaf = tasks.task("deaf").cooperative(true).spawn(std::future::pending::<()>());
    drop(peers);
    assert_eq!(block_on(deaf), Err(JoinError::Cancelled));
}

/// Asks for the tasks of its set, and of the peer, when it is told that there is a group.
#[derive(Default)]
struct AsksForTasks {
    peers: Mutex<Option<Peers>>,
    asked: AtomicUsize,
}

impl Observer for AsksForTasks {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::TaskGroupCreated { .. } = event.kind {
            let peers = self.peers.lock().unwrap().clone().expect("it is there");
            match event.peer {
                Some(id) => drop(peers.get(id).expect("it is open").tasks().tasks()),
                None => drop(peers.tasks().expect("threads").tasks()),
            }
            self.asked.fetch_add(1, Ordering::AcqRel);
        }
    }
}

#[test]
fn who_is_told_that_there_is_a_group_of_tasks_can_look_at_them() {
    let asks = Arc::new(AsksForTasks::default());
    let peers = Peers::builder().observer(Arc::clone(&asks) as _).build();
    *asks.peers.lock().unwrap() = Some(peers.clone());
    let peer = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).expect("inserted");
    let (done, asking) = channel();
    let _asks = std::thread::spawn(move || {
        assert!(peer.tasks().is_empty() && peers.tasks().expect("threads").is_empty());
        done.send(()).expect("it is waited for");
    });
    asking.recv_timeout(PATIENCE).expect("no deadlock");
    assert_eq!(asks.asked.load(Ordering::Acquire), 2, "expected each group to be told once");
    asks.peers.lock().unwrap().take();
}

/// An error that cannot be told.
#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("{DELIBERATE}");
    }
}

#[test]
fn an_error_whose_text_panics_is_a_panic_of_its_task() {
    hush();
    let host = Host::start(BACKENDS[0]);
    let (group, ends) = watched(&host);
    let task = group.task("mute").try_spawn(async { Err::<(), _>(Unspeakable) });
    let result = host.in_task(task).map(|result| result.is_ok());
    assert_eq!(result, Err(JoinError::Panicked(DELIBERATE.to_owned())));
    assert_eq!(ends.of("mute"), [TaskEnd::Panicked(DELIBERATE.to_owned())]);
}

#[test]
fn a_cooperative_task_is_dropped_after_the_grace_also_where_the_close_takes_its_whole_bound() {
    host::on_all_at_once(|backend, host| {
        let bounds = CloseOptions::new()
            .timeout(Duration::from_millis(500))
            .grace(Duration::from_millis(50));
        let peers = Peers::builder().runtime(host.runtime()).close(bounds).build();
        let peer = peers.insert(Arc::new(Fake::that(Conduct::Hangs)), PeerOptions::new());
        let peer = peer.expect("inserted");
        let group = peer.tasks().clone();
        let deaf = group.task("deaf").cooperative(true).spawn(std::future::pending::<()>());
        let report = host.in_task(peers.close_all());
        let outcome = &report.peers[0].outcome;
        assert!(matches!(outcome, Outcome::TimedOut { .. }), "on {backend:?}: {report}");
        assert!(report.peers[0].stuck.is_empty(), "on {backend:?}: {report}");
        assert_eq!(host.in_task(deaf), Err(JoinError::Cancelled), "on {backend:?}");
    });
}

/// Breaks the contract of wakers.
struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        // Without the hook, which would print it.
        std::panic::resume_unwind(Box::new("deliberate"));
    }
}

#[test]
fn a_waker_that_panics_keeps_no_peer_from_being_closed() {
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).build();
    let peer = quick(&peers, 1);
    let mut cancelled = Box::pin(peer.tasks().token().cancelled());
    let waker = Waker::from(Arc::new(PanickingWaker));
    assert!(cancelled.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut closing = peer.close();
    let outcome = closing.wait(PATIENCE).expect("a plain thread may block");
    assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful));
    // What waited with it is its own affair: event-listener counts wrongly after such a panic.
    let _panicked = caught(|| drop(cancelled));
}
