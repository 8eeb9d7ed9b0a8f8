//! What this crate costs, as ratios: each against the bare way, interleaved in one run.
//!
//! `cargo bench --all-features --bench cost [-- spawn|task|close|throughput|idle]`. The machine may be
//! shared and noisy, so nothing is stated in seconds alone, and nothing fails by time.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench brings its own executors, and prints"
)]

#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anypeer::peer::ReaperOptions;
use anypeer::runtime::{Runtime, SmolSpawner, TokioSpawner};
use anypeer::task::TaskGroup;
use anypeer::{Event, Observer, PeerOptions, Peers};
use futures::channel::oneshot;
use futures::future::join_all;
use webrtc::runtime::TokioRuntime;

use shared::loopback::{self, Pair};
use shared::{
    Backend, compare, connect_bare, cpu_time, each_backend, open_bare, print_head, throughput,
};

fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = |name| chosen.as_deref().is_none_or(|chosen| chosen == name);
    print_head();
    if runs("spawn") {
        spawn();
    }
    if runs("task") {
        task();
    }
    if runs("close") {
        each_backend("close_all of 400 against join_all", 1.2, close);
    }
    if runs("idle") {
        each_backend("CPU of 300 idle peers, watched against not", 1.10, idle);
    }
    if runs("throughput") {
        let peers = |backend: &Backend| Peers::builder().runtime(backend.ours.clone()).build();
        each_backend("time of 8 MiB through a data channel", 1.0 / 0.97, |backend, name, limit| {
            throughput(backend, name, limit, peers);
        });
    }
}

const SPAWN_PAIRS: usize = 301;

/// A spawn and its await, on the executor's own thread.
fn spawn() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ours = Runtime::from(TokioSpawner::new(tokio.handle().clone()));
    compare(
        "spawn and await, tokio current-thread",
        1.05,
        SPAWN_PAIRS,
        || tokio.block_on(each_awaited(|i| tokio::spawn(work(i)))),
        || tokio.block_on(each_awaited(|i| ours.spawn(work(i)))),
    );
    let ours = Runtime::from(SmolSpawner::new());
    compare(
        "spawn and await, async-executor (smol's)",
        1.05,
        SPAWN_PAIRS,
        || on_smol(each_awaited(|i| smol::spawn(work(i)))),
        || {
            let ours = ours.clone();
            on_smol(each_awaited(move |i| ours.spawn(work(i))))
        },
    );
}

/// How much is known of a supervised task, and what that may cost.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Counted,
    Recorded,
    Timed,
}

/// A supervised task and its await, on the executor's own thread.
fn task() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (depth, name, limit) in [
        (Depth::Counted, "counted task", 1.10),
        (Depth::Recorded, "recorded task", 1.40),
        (Depth::Timed, "timed task", 1.60),
    ] {
        let group = task_group(TokioSpawner::new(tokio.handle().clone()), depth);
        compare(
            &format!("{name}, tokio current-thread"),
            limit,
            SPAWN_PAIRS,
            || tokio.block_on(each_awaited(|i| tokio::spawn(work(i)))),
            || match depth {
                Depth::Counted => tokio.block_on(each_awaited(|i| group.track(work(i)))),
                _ => tokio.block_on(each_awaited(|i| group.spawn("work", work(i)))),
            },
        );
        let group = task_group(SmolSpawner::new(), depth);
        compare(
            &format!("{name}, async-executor (smol's)"),
            limit,
            SPAWN_PAIRS,
            || on_smol(each_awaited(|i| smol::spawn(work(i)))),
            || {
                let group = group.clone();
                match depth {
                    Depth::Counted => on_smol(each_awaited(move |i| group.track(work(i)))),
                    _ => on_smol(each_awaited(move |i| group.spawn("work", work(i)))),
                }
            },
        );
    }
}

fn task_group(runtime: impl Into<Runtime>, depth: Depth) -> TaskGroup {
    let builder = TaskGroup::builder(runtime);
    let builder = if depth == Depth::Timed { builder.timed(true) } else { builder };
    builder.build().unwrap()
}

/// Starts one task after the other and awaits it: the time for each.
async fn each_awaited<F: Future>(spawn: impl Fn(u32) -> F) -> Duration {
    const SPAWNS: u32 = 2000;
    let start = Instant::now();
    for i in 0..SPAWNS {
        std::hint::black_box(spawn(i).await);
    }
    start.elapsed() / SPAWNS
}

/// Runs `future` in a task of smol's.
fn on_smol<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    smol::block_on(smol::spawn(future))
}

/// A future of 32 bytes, ready at once.
async fn work(i: u32) -> u32 {
    let padding = [i; 7];
    std::hint::black_box(padding)[3]
}

/// Where the remote sides live: a runtime that runs only when it is told to, so that their work
/// is not counted with that of the sides that are measured.
struct Far(tokio::runtime::Runtime);

impl Far {
    fn new() -> Self {
        Self(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
    }

    /// Runs the remote sides for as long as `work` takes.
    fn while_running<T>(&self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(|| self.0.block_on(stopped));
            let result = work();
            drop(stop);
            result
        })
    }
}

const PEERS: usize = 400;
const AT_ONCE: usize = 50;

/// Closes 400 connected peers at once; the remote sides stand still meanwhile.
fn close(backend: &Backend, name: &str, limit: f64) {
    let (bare, ours) = (backend.clone(), backend.clone());
    compare(
        name,
        limit,
        15,
        move || {
            let far = Far::new();
            let (runtime, remote) = (Arc::clone(&bare.bare), far.0.handle().clone());
            let pairs = far.while_running(|| {
                bare.run(Box::pin(async move {
                    let mut pairs = Vec::new();
                    while pairs.len() < PEERS {
                        let batch = (0..AT_ONCE).map(|_| async {
                            let b = remote.spawn(open_bare(Arc::new(TokioRuntime)));
                            connect_bare(open_bare(Arc::clone(&runtime)).await, b.await.unwrap())
                                .await
                        });
                        pairs.extend(join_all(batch).await);
                    }
                    pairs
                }))
            });
            bare.run(Box::pin(async move {
                let start = Instant::now();
                let closed = join_all(pairs.iter().map(|(a, _, _)| a.0.close())).await;
                let took = start.elapsed();
                assert!(closed.iter().all(Result::is_ok));
                took
            }))
        },
        move || {
            let far = Far::new();
            let near = Peers::builder().runtime(ours.ours.clone()).build();
            let set = near.clone();
            let far_runtime = Runtime::from(TokioSpawner::new(far.0.handle().clone()));
            let remote = Peers::builder().runtime(far_runtime.clone()).build();
            let pairs = far.while_running(|| {
                ours.run(Box::pin(async move {
                    let mut pairs = Vec::new();
                    while pairs.len() < PEERS {
                        let batch = (0..AT_ONCE).map(|_| async {
                            let remote = remote.clone();
                            let b = far_runtime.spawn(async move {
                                loopback::open(&remote, PeerOptions::new()).await.unwrap()
                            });
                            let a = loopback::open(&set, PeerOptions::new()).await.unwrap();
                            Pair::connect(a, b.await.unwrap()).await.unwrap()
                        });
                        pairs.extend(join_all(batch).await);
                    }
                    (pairs, remote)
                }))
            });
            ours.run(Box::pin(async move {
                let start = Instant::now();
                let report = near.close_all().await;
                let took = start.elapsed();
                assert!(report.all_closed() && report.peers.len() == PEERS, "{report}");
                drop(pairs);
                took
            }))
        },
    );
}

const IDLE_PEERS: usize = 300;

/// The processor time that connected peers take that do nothing, in one second; ours with the
/// reaper and an observer, the others with neither.
fn idle(backend: &Backend, name: &str, limit: f64) {
    let (bare, ours) = (backend.clone(), backend.clone());
    compare(
        name,
        limit,
        5,
        move || {
            let peers = Peers::builder().runtime(bare.ours.clone()).reaper(ReaperOptions::off());
            idle_cpu(&bare, peers.build())
        },
        move || {
            let peers = Peers::builder().runtime(ours.ours.clone());
            idle_cpu(&ours, peers.observer(Arc::new(Unmoved)).build())
        },
    );
}

/// An observer that does nothing.
struct Unmoved;

impl Observer for Unmoved {
    fn on_event(&self, event: &Event<'_>) {
        std::hint::black_box(event);
    }
}

fn idle_cpu(backend: &Backend, peers: Peers) -> Duration {
    const SECONDS: u32 = 6;
    let set = peers.clone();
    let pairs = backend.run(Box::pin(async move {
        let mut pairs = Vec::new();
        while pairs.len() < IDLE_PEERS / 2 {
            let batch =
                (0..AT_ONCE).map(|_| Pair::open(&set, PeerOptions::new(), PeerOptions::new()));
            pairs.extend(join_all(batch).await);
        }
        async_io::Timer::after(Duration::from_secs(1)).await;
        pairs
    }));
    let before = cpu_time();
    backend.run(Box::pin(async {
        async_io::Timer::after(Duration::from_secs(SECONDS.into())).await;
    }));
    let took = cpu_time().saturating_sub(before) / SECONDS;
    assert!(pairs.iter().all(Result::is_ok) && peers.len() == IDLE_PEERS, "{peers:?}");
    backend.run(Box::pin(async move { assert!(peers.shutdown().await.all_closed()) }));
    took
}
