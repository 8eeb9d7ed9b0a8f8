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
#[path = "../examples/shared/loopback.rs"]
mod loopback;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use anypeer::peer::ReaperOptions;
use anypeer::runtime::{Runtime, SmolSpawner, TokioSpawner};
use anypeer::task::TaskGroup;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::PeerConnection;
use anypeer::webrtc::runtime::{Runtime as WebrtcRuntime, SmolRuntime, TokioRuntime};
use anypeer::{Event, Observer, PeerOptions, Peers};
use futures::channel::oneshot;
use futures::future::{BoxFuture, join_all};

use loopback::{Pair, Recorder, Seen, builder};

fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = |name| chosen.as_deref().is_none_or(|chosen| chosen == name);
    println!("{:<52}{:>8}{:>10}{:>10}{:>8}", "", "bare", "anypeer", "ratio", "at most");
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
        each_backend("time of 8 MiB through a data channel", 1.0 / 0.97, throughput);
    }
}

/// Alternates the two ways, and prints the medians and the median of the pairs' ratios.
fn compare(
    name: &str,
    limit: f64,
    pairs: usize,
    mut bare: impl FnMut() -> Duration,
    mut ours: impl FnMut() -> Duration,
) {
    let (mut bares, mut oures, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=pairs {
        // Who is first takes turns.
        let (a, b) = if pair % 2 == 0 {
            let a = bare();
            (a, ours())
        } else {
            let b = ours();
            (bare(), b)
        };
        // The first pair warms up.
        if pair > 0 {
            bares.push(a.as_secs_f64());
            oures.push(b.as_secs_f64());
            ratios.push(b.as_secs_f64() / a.as_secs_f64());
        }
    }
    let (bare, ours, ratio) = (median(&mut bares), median(&mut oures), median(&mut ratios));
    println!("{name:<52}{:>8}{:>10}{ratio:>10.3}{limit:>8.3}", time(bare), time(ours));
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s => format!("{:.1} ms", s * 1e3),
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
    let builder = if depth == Depth::Timed { builder.timed() } else { builder };
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

/// The executor of a comparison, ours and `webrtc`'s own way onto it.
#[derive(Clone)]
struct Backend {
    name: &'static str,
    ours: Runtime,
    bare: Arc<dyn WebrtcRuntime>,
    tokio: Option<Arc<tokio::runtime::Runtime>>,
}

impl Backend {
    /// Runs `future` in a task of the executor.
    fn run<T: Send + 'static>(&self, future: BoxFuture<'static, T>) -> T {
        match &self.tokio {
            Some(tokio) => {
                tokio.block_on(async { tokio::spawn(future).await.expect("the task ends") })
            }
            None => smol::block_on(smol::spawn(future)),
        }
    }
}

fn each_backend(name: &str, limit: f64, bench: impl Fn(&Backend, &str, f64)) {
    let multi = Arc::new(tokio::runtime::Runtime::new().unwrap());
    let tokio = Backend {
        name: "tokio",
        ours: TokioSpawner::new(multi.handle().clone()).into(),
        bare: Arc::new(TokioRuntime),
        tokio: Some(multi),
    };
    let smol = Backend {
        name: "smol",
        ours: SmolSpawner::new().into(),
        bare: Arc::new(SmolRuntime),
        tokio: None,
    };
    for backend in [tokio, smol] {
        bench(&backend, &format!("{name}, {}", backend.name), limit);
    }
}

/// A connection of the bare crate's, with what its handler saw.
type Bare = (Arc<dyn PeerConnection>, Arc<Seen>);

async fn open_bare(runtime: Arc<dyn WebrtcRuntime>) -> Bare {
    let seen = Arc::new(Seen::default());
    let handler = Recorder::new(Arc::clone(&seen));
    let builder = builder().with_runtime(runtime).with_handler(handler);
    (Arc::new(builder.build().await.expect("it is built")), seen)
}

/// The handshake of `loopback`, without this crate.
async fn connect_bare(a: Bare, b: Bare) -> (Bare, Bare, Arc<dyn DataChannel>) {
    let channel = a.0.create_data_channel("data", None).await.unwrap();
    a.0.set_local_description(a.0.create_offer(None).await.unwrap()).await.unwrap();
    a.1.gathered.wait().await;
    b.0.set_remote_description(a.0.local_description().await.unwrap()).await.unwrap();
    b.0.set_local_description(b.0.create_answer(None).await.unwrap()).await.unwrap();
    b.1.gathered.wait().await;
    a.0.set_remote_description(b.0.local_description().await.unwrap()).await.unwrap();
    b.1.channel.wait().await;
    while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
    (a, b, channel)
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

/// The processor time that this process's threads have taken (proc(5), `schedstat`).
fn cpu_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("a Linux");
    let times = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

const TRANSFER_BYTES: usize = 8 << 20;
const MESSAGE_BYTES: usize = 16 << 10;

/// The time of a transfer; its inverse is the throughput.
fn throughput(backend: &Backend, name: &str, limit: f64) {
    let (bare, ours) = (backend.clone(), backend.clone());
    compare(
        name,
        limit,
        15,
        move || {
            let runtime = Arc::clone(&bare.bare);
            bare.run(Box::pin(async move {
                let (a, b) = (open_bare(Arc::clone(&runtime)).await, open_bare(runtime).await);
                let (a, b, near) = connect_bare(a, b).await;
                let far = b.1.channels.lock().unwrap()[0].clone();
                let took = transfer(near, far).await;
                a.0.close().await.unwrap();
                b.0.close().await.unwrap();
                took
            }))
        },
        move || {
            let peers = Peers::builder().runtime(ours.ours.clone()).build();
            ours.run(Box::pin(async move {
                let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new());
                let pair = pair.await.unwrap();
                let far = pair.answerer_seen.channels.lock().unwrap()[0].clone();
                let took = transfer(Arc::clone(&pair.channel), far).await;
                peers.shutdown().await;
                took
            }))
        },
    );
}

/// So much is on its way at most: a socket's buffer takes it. What it cannot take is lost, and each
/// loss costs the 0.2 to 1 s of a retransmission, the bare way and ours alike.
const WINDOW_BYTES: usize = 32 << 10;

async fn transfer(near: Arc<dyn DataChannel>, far: Arc<dyn DataChannel>) -> Duration {
    let start = Instant::now();
    let received = AtomicUsize::new(0);
    let send = async {
        for sent in (0..TRANSFER_BYTES).step_by(MESSAGE_BYTES) {
            // Both are one task, in which this comes second: what is received is seen here.
            let room = || sent - received.load(Ordering::Relaxed) < WINDOW_BYTES;
            poll_fn(|_| if room() { Poll::Ready(()) } else { Poll::Pending }).await;
            near.send([0x5a; MESSAGE_BYTES].as_slice().into()).await.unwrap();
        }
    };
    let receive = async {
        while received.load(Ordering::Relaxed) < TRANSFER_BYTES {
            if let Some(DataChannelEvent::OnMessage(message)) = far.poll().await {
                received.fetch_add(message.data.len(), Ordering::Relaxed);
            }
        }
    };
    futures::join!(receive, send);
    start.elapsed()
}
