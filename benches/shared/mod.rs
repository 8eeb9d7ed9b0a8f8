//! What the benches share: comparing two ways in one run, and real peers to do it with.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use anypeer::runtime::{Runtime, SmolSpawner, TokioSpawner};
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::peer_connection::PeerConnection;
use anypeer::{PeerOptions, Peers};
use futures::future::BoxFuture;
use webrtc::runtime::{Runtime as WebrtcRuntime, SmolRuntime, TokioRuntime};

#[path = "../../examples/shared/loopback.rs"]
pub(crate) mod loopback;

use loopback::{Pair, Recorder, Seen, builder};

/// What the columns are.
pub(crate) fn print_head() {
    println!("{:<52}{:>8}{:>10}{:>10}{:>8}", "", "bare", "anypeer", "ratio", "at most");
}

/// Alternates the two ways, and prints the medians and the median of the pairs' ratios.
pub(crate) fn compare(
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

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s => format!("{:.1} ms", s * 1e3),
    }
}

/// The executor of a comparison, ours and `webrtc`'s own way onto it.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) ours: Runtime,
    pub(crate) bare: Arc<dyn WebrtcRuntime>,
    tokio: Option<Arc<tokio::runtime::Runtime>>,
}

impl Backend {
    /// Runs `future` in a task of the executor.
    pub(crate) fn run<T: Send + 'static>(&self, future: BoxFuture<'static, T>) -> T {
        match &self.tokio {
            Some(tokio) => {
                tokio.block_on(async { tokio::spawn(future).await.expect("the task ends") })
            }
            None => smol::block_on(smol::spawn(future)),
        }
    }
}

pub(crate) fn each_backend(name: &str, limit: f64, bench: impl Fn(&Backend, &str, f64)) {
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
pub(crate) type Bare = (Arc<dyn PeerConnection>, Arc<Seen>);

pub(crate) async fn open_bare(runtime: Arc<dyn WebrtcRuntime>) -> Bare {
    let seen = Arc::new(Seen::default());
    let handler = Recorder::new(Arc::clone(&seen));
    let builder = builder().with_runtime(runtime).with_handler(handler);
    (Arc::new(builder.build().await.expect("it is built")), seen)
}

/// The handshake of `loopback`, without this crate.
pub(crate) async fn connect_bare(a: Bare, b: Bare) -> (Bare, Bare, Arc<dyn DataChannel>) {
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

/// The processor time that this process's threads have taken (proc(5), `schedstat`).
pub(crate) fn cpu_time() -> Duration {
    cpu_time_of(|_| true)
}

/// That of the threads of some names.
pub(crate) fn cpu_time_of(named: impl Fn(&str) -> bool) -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("a Linux");
    let times = threads.filter_map(|thread| {
        let thread = thread.ok()?.path();
        let name = std::fs::read_to_string(thread.join("comm")).ok()?;
        let stat = std::fs::read_to_string(thread.join("schedstat")).ok()?;
        named(name.trim()).then(|| stat.split(' ').next()?.parse::<u64>().ok())?
    });
    Duration::from_nanos(times.sum())
}

pub(crate) const TRANSFER_BYTES: usize = 8 << 20;
pub(crate) const MESSAGE_BYTES: usize = 16 << 10;

/// The time of a transfer; its inverse is the throughput.
pub(crate) fn throughput(
    backend: &Backend,
    name: &str,
    limit: f64,
    peers: impl Fn(&Backend) -> Peers,
) {
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
            let peers = peers(&ours);
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
pub(crate) const WINDOW_BYTES: usize = 32 << 10;

pub(crate) async fn transfer(near: Arc<dyn DataChannel>, far: Arc<dyn DataChannel>) -> Duration {
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
