//! Spawning, the current runtime, and waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Once};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use anypeer::peer::CloseMode;
use anypeer::runtime::{
    self, BoxFuture, Executor, ExecutorSpawner, JoinError, Runtime, Spawner, StaticExecutor,
    WaitError, current, enter,
};
use anypeer::{Outcome, PeerOptions, Peers};
use futures::FutureExt;

use crate::support::fake::{Conduct, Fake};
use crate::support::host::{BACKENDS, Backend, Host, received};
use crate::support::poll::until;

const BOUND: Duration = Duration::from_secs(5);

/// An executor that drops what it is given.
#[derive(Debug)]
struct Refuses;

impl Spawner for Refuses {
    fn spawn(&self, task: BoxFuture) {
        drop(task);
    }
}

/// A thread for each task.
#[derive(Debug)]
struct Threads;

impl Spawner for Threads {
    fn spawn(&self, task: BoxFuture) {
        std::thread::spawn(|| futures::executor::block_on(task));
    }
}

/// Executors that are never dropped, each with a thread that drives it.
fn statics() -> [Runtime; 2] {
    static EXECUTOR: Executor<'static> = Executor::new();
    static STATIC: StaticExecutor = StaticExecutor::new();
    static START: Once = Once::new();
    START.call_once(|| {
        let never = std::future::pending::<()>;
        std::thread::spawn(move || futures::executor::block_on(EXECUTOR.run(never())));
        std::thread::spawn(move || futures::executor::block_on(STATIC.run(never())));
    });
    [ExecutorSpawner::new(&EXECUTOR).into(), ExecutorSpawner::new(&STATIC).into()]
}

/// Every runtime there is, and what keeps it running.
fn runtimes() -> Vec<(Runtime, Option<(Backend, Host)>)> {
    let mut runtimes = vec![
        (Runtime::background().expect("a thread can be started"), None),
        (Runtime::from(Threads), None),
    ];
    runtimes.extend(statics().map(|runtime| (runtime, None)));
    for &backend in BACKENDS {
        let host = Host::start(backend);
        runtimes.push((host.runtime(), Some((backend, host))));
    }
    runtimes
}

#[test]
fn a_task_ends_in_its_result_its_panic_or_its_abort() {
    for (runtime, _host) in runtimes() {
        assert_eq!(runtime.spawn(async { 42 }).wait(BOUND), Ok(Ok(42)), "on {runtime:?}");

        let mut panics = runtime.spawn(async { panic!("deliberate {}", "panic") });
        let panicked: Result<(), _> = panics.wait(BOUND).unwrap();
        assert_eq!(panicked, Err(JoinError::Panicked("deliberate panic".into())), "{runtime:?}");

        let mut never = runtime.spawn(std::future::pending::<()>());
        assert_eq!(never.wait(Duration::from_millis(20)), Err(WaitError::TimedOut));
        never.abort();
        assert_eq!(never.wait(BOUND), Ok(Err(JoinError::Cancelled)), "on {runtime:?}");
        for _ in 0..100 {
            let mut never = runtime.spawn(std::future::pending::<()>());
            never.abort();
            assert_eq!(never.wait(BOUND), Ok(Err(JoinError::Cancelled)), "at once on {runtime:?}");
        }
    }
}

/// Whether a waker was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_result_is_given_once_and_an_abort_after_the_end_leaves_it() {
    for (runtime, _host) in runtimes() {
        let mut taken = runtime.spawn(async { 42 });
        assert_eq!(taken.wait(BOUND), Ok(Ok(42)), "on {runtime:?}");
        for _ in 0..2 {
            assert_eq!(taken.wait(BOUND), Ok(Err(JoinError::Lost)), "again on {runtime:?}");
            taken.abort();
        }
        let mut panicked = runtime.spawn(async { panic!("deliberate") });
        let first: Result<(), _> = panicked.wait(BOUND).unwrap();
        assert_eq!(first, Err(JoinError::Panicked("deliberate".into())), "on {runtime:?}");
        assert_eq!(panicked.wait(BOUND), Ok(Err(JoinError::Lost)), "again on {runtime:?}");

        let (open, gate) = futures::channel::oneshot::channel();
        let mut late = runtime.spawn(gate);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(late.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        open.send("result").unwrap();
        until("the handle to be woken by the end of its task", || woken.0.load(Ordering::Acquire));
        late.abort();
        assert_eq!(late.wait(BOUND), Ok(Ok(Ok("result"))), "after an abort on {runtime:?}");
    }
}

#[test]
fn a_dropped_handle_detaches_its_task() {
    for (runtime, _host) in runtimes() {
        let (done, result) = channel();
        drop(runtime.spawn(async move {
            async_io::Timer::after(Duration::from_millis(10)).await;
            let _ = done.send(());
        }));
        received(&result);
    }
}

#[test]
fn a_task_that_its_executor_drops_is_lost() {
    let mut refused = Runtime::from(Refuses).spawn(async { 1 });
    assert_eq!(refused.wait(BOUND), Ok(Err(JoinError::Lost)));
    #[cfg(feature = "tokio")]
    {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let spawner = runtime::TokioSpawner::new(runtime.handle().clone());
        let anypeer = Runtime::from(spawner);
        let mut before = anypeer.spawn(std::future::pending::<()>());
        drop(runtime);
        let mut after = anypeer.spawn(async {});
        assert_eq!(before.wait(BOUND), Ok(Err(JoinError::Lost)), "dropped with its runtime");
        assert_eq!(
            after.wait(BOUND),
            Ok(Err(JoinError::Lost)),
            "refused by a runtime that is gone"
        );
    }
}

#[test]
fn a_spawner_that_breaks_its_contract_harms_nobody() {
    /// Panics when it is to spawn, and runs work twice, if at all.
    #[derive(Debug)]
    struct Breaks {
        times: usize,
    }
    impl Spawner for Breaks {
        fn spawn(&self, _task: BoxFuture) {
            panic!("deliberate panic of a spawner");
        }
        fn within(&self, work: &mut dyn FnMut()) {
            for _ in 0..self.times {
                work();
            }
        }
    }
    for times in 0..3 {
        let runtime = Runtime::from(Breaks { times });
        let mut refused = runtime.spawn(async { 1 });
        assert_eq!(refused.wait(BOUND), Ok(Err(JoinError::Lost)), "a panic is a refusal");
        // A close polls its connection within the runtime.
        let peers = Peers::builder().runtime(runtime).build();
        let peer = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).unwrap();
        assert!(
            peer.close().wait(BOUND).unwrap().is_closed(),
            "work that was called {times} times"
        );
    }
}

#[test]
fn a_task_knows_its_runtime() {
    for (runtime, _host) in runtimes() {
        let mut name = runtime.spawn(async { current().map(|current| current.name()) });
        assert_eq!(name.wait(BOUND), Ok(Ok(Some(runtime.name()))), "inside its own task");
    }
    assert!(current().is_none(), "expected nothing to be guessed on a plain thread");
}

#[test]
fn a_native_task_is_recognised_by_what_its_executor_says_and_never_guessed() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let name = host.in_task(async { current().map(|current| current.name()) });
        assert_eq!(name, backend.recognised_as(), "in a task of {backend:?}");
    }
}

#[test]
fn an_enter_guard_marks_its_thread_and_goes() {
    let background = Runtime::background().unwrap();
    let custom = Runtime::from(Threads);
    let name = || current().map(|current| current.name());
    let outer = enter(&background);
    let inner = enter(&custom);
    assert_eq!(name(), Some("custom"));
    drop(inner);
    assert_eq!(name(), Some("background"));
    let elsewhere = std::thread::spawn(move || current().is_none()).join().unwrap();
    assert!(elsewhere, "expected the mark on its own thread only");
    drop(outer);
    assert_eq!(name(), None);
}

#[test]
fn work_is_run_where_there_is_no_runtime() {
    let (done, result) = channel();
    let mut handle = runtime::run(async move {
        async_io::Timer::after(Duration::from_millis(1)).await;
        let _ = done.send(std::thread::current().name().map(str::to_owned));
        "done"
    })
    .expect("a thread can be started");
    assert_eq!(received(&result).as_deref(), Some("anypeer"), "expected the background thread");
    assert_eq!(handle.wait(BOUND), Ok(Ok("done")));
}

#[test]
fn a_wait_is_refused_at_once_exactly_where_it_would_starve_an_executor() {
    for (runtime, host) in runtimes() {
        let wait = || {
            let mut never = Runtime::background().unwrap().spawn(std::future::pending::<()>());
            let start = Instant::now();
            let error = never.wait(Duration::from_millis(50)).expect_err("it never ends");
            never.abort();
            assert_eq!(error == WaitError::TimedOut, start.elapsed() >= Duration::from_millis(50));
            error
        };
        let in_our_task = runtime.spawn(async move { wait() }).wait(BOUND).unwrap().unwrap();
        assert_eq!(in_our_task, WaitError::WouldStarve, "in a task on {runtime:?}");
        let Some((backend, host)) = host else { continue };
        if backend.marks_native_tasks() {
            let in_native_task = host.in_task(async move { wait() });
            assert_eq!(in_native_task, WaitError::WouldStarve, "in a native task on {runtime:?}");
        }
        let in_pool = host.in_blocking_pool(wait);
        assert_eq!(in_pool, WaitError::TimedOut, "in the blocking pool of {runtime:?}");
        assert_eq!(host.entered(wait), WaitError::TimedOut, "under a guard of {runtime:?}");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn the_question_whether_blocking_is_allowed_leaves_tokios_budget_as_it_was() {
    let host = Host::start(Backend::TokioCurrent);
    let left = host.in_task(async {
        let mut never = Runtime::background().unwrap().spawn(std::future::pending::<()>());
        assert_eq!(never.wait(BOUND), Err(WaitError::WouldStarve));
        never.abort();
        tokio::task::coop::has_budget_remaining()
    });
    assert!(left, "expected the task's budget to be given back");
}

#[test]
fn an_ended_task_is_answered_also_where_waiting_is_refused() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let mut ended = Runtime::background().unwrap().spawn(async { 7 });
        let deadline = Instant::now() + BOUND;
        let answer = host.in_task(async move {
            loop {
                match ended.wait(BOUND) {
                    Err(WaitError::WouldStarve) if Instant::now() < deadline => {
                        async_io::Timer::after(Duration::from_millis(1)).await;
                    }
                    answer => return answer,
                }
            }
        });
        assert_eq!(answer, Ok(Ok(7)));
    }
}

#[test]
fn tasks_of_the_host_that_block_the_background_executor_block_no_close() {
    let background = Runtime::background().unwrap();
    for _ in 0..4 {
        drop(background.spawn(async { std::thread::sleep(Duration::from_secs(3600)) }));
    }
    let peers = Peers::builder().runtime(background).build();
    let peer = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).unwrap();
    assert_eq!(peer.close().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
}

#[test]
fn a_close_that_blocks_its_thread_blocks_no_other() {
    let peers = Peers::new();
    for _ in 0..20 {
        let blocks =
            peers.insert(Arc::new(Fake::that(Conduct::BlocksAtOnce)), PeerOptions::new()).unwrap();
        drop(blocks.close());
        let closes = peers.insert(Arc::new(Fake::new()), PeerOptions::new()).unwrap();
        assert_eq!(closes.close().wait(BOUND), Ok(Outcome::Closed(CloseMode::Graceful)));
    }
}
