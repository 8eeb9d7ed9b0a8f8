//! Nothing is left: of connections that are dropped, of those that are closed, after any number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, CloseOptions, PeersBuilder, ReaperOptions};
use anypeer::webrtc::{LiveObjects, Peer, RTCDtlsTransportState, live_objects};
use anypeer::{Event, EventKind, Observer, PeerOptions, Peers};
use futures::future::join_all;

use crate::support::host::{BACKENDS, Backend, Host};
use crate::support::loopback::{HANDLERS, Pair};
use crate::support::poll::{PATIENCE, poll};
use crate::support::proc::udp_sockets;
use crate::support::process;

const CONNECTIONS: usize = 300;

/// How many pairs shake hands at once.
const BATCH: usize = 25;

/// The remote side must have noticed by then.
const TOLD_WITHIN: Duration = Duration::from_millis(1500);

#[test]
fn three_hundred_dropped_leave_nothing_and_tell_the_remote_side() {
    on_each_backend("drop", SOME);
}

#[test]
fn three_hundred_closed_leave_nothing_and_tell_the_remote_side() {
    on_each_backend("close", SOME);
}

#[test]
fn two_thousand_cycles_leave_memory_flat() {
    // Nothing that they look at is a time.
    on_each_backend("cycle", BACKENDS.len());
}

/// So many children at once mostly wait for handshakes, and leave each other a processor.
const SOME: usize = 4;

/// Runs a child for each backend, so many at once.
fn on_each_backend(task: &str, at_once: usize) {
    let _alone = process::load();
    for backends in BACKENDS.chunks(at_once) {
        std::thread::scope(|scope| {
            for backend in backends {
                scope.spawn(move || {
                    let task = format!("{task}/{}", backend.name());
                    match process::run("leak::child", &task, Duration::from_secs(300)) {
                        Ok(saw) => println!("{task}: {saw}"),
                        Err(failure) => panic!("{task}: {failure}"),
                    }
                });
            }
        });
    }
}

#[test]
#[ignore = "counts what its process has, and is run in one of its own"]
fn child() {
    let task = process::task();
    let (task, backend) = task.split_once('/').expect("task/backend");
    let backend = *BACKENDS.iter().find(|b| b.name() == backend).expect("a known backend");
    let saw = match task {
        "cycle" => cycle(backend),
        task => end_all(backend, task == "drop"),
    };
    process::report(&saw);
}

/// Counts graceful closes.
#[derive(Default)]
struct Graceful(AtomicUsize);

impl Observer for Graceful {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::Closed { mode: CloseMode::Graceful, .. } = event.kind {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Graceful {
    /// Waits until there were so many.
    #[track_caller]
    fn reach(&self, number: usize) {
        until("every close to be graceful", || self.0.load(Ordering::Acquire) >= number);
    }
}

/// Connects 300 peers to 300 others, ends the 300, and looks at what is left and who was told.
fn end_all(backend: Backend, by_drop: bool) -> String {
    let host = Host::start(backend);
    let graceful = Arc::new(Graceful::default());
    let ours = set(&host).observer(Arc::clone(&graceful) as _).build();
    // They are looked at after they were told, and so must not be closed for it.
    let theirs = set(&host).reaper(ReaperOptions::off()).build();
    let (mut subjects, mut remotes) = (Vec::new(), Vec::new());
    while subjects.len() < CONNECTIONS {
        let (ours, theirs) = (ours.clone(), theirs.clone());
        for Pair { offerer, answerer, .. } in host.in_task(connect(ours, theirs)) {
            subjects.push(offerer);
            remotes.push(answerer);
        }
    }
    assert_eq!(udp_sockets().len(), 2 * CONNECTIONS, "expected a socket for each");
    let start = Instant::now();
    if by_drop {
        drop(subjects);
    } else {
        let report = host.in_task(ours.close_all());
        assert!(report.all_closed(), "expected every one to be closed: {report}");
    }
    graceful.reach(CONNECTIONS);
    let gone = start.elapsed();
    left_when_told(CONNECTIONS);
    let told = host.in_task(async move {
        let told = join_all(remotes.iter().map(noticed)).await;
        drop(remotes);
        told.into_iter().filter(|told| *told).count()
    });
    assert_eq!(told, CONNECTIONS, "expected every remote side to notice within {TOLD_WITHIN:?}");
    nothing_left();
    format!(
        "{CONNECTIONS} gone in {} ms, {told} remotes told; 0 sockets, 0 drivers, 0 handlers",
        gone.as_millis()
    )
}

/// Peers whose closes have the time to be graceful, however much else the machine does: one that is
/// forced may leave its driver to a poll that is under way.
fn set(host: &Host) -> PeersBuilder {
    let close = CloseOptions::new().grace(PATIENCE).timeout(2 * PATIENCE);
    Peers::builder().runtime(host.runtime()).close(close)
}

async fn connect(ours: Peers, theirs: Peers) -> Vec<Pair> {
    let pairs = (0..BATCH).map(|_| async {
        let offerer =
            crate::support::loopback::open(&ours, PeerOptions::new()).await.expect("opens");
        let answerer =
            crate::support::loopback::open(&theirs, PeerOptions::new()).await.expect("opens");
        Pair::connect(offerer, answerer).await.expect("connects")
    });
    join_all(pairs).await
}

/// Whether the peer's transport says in time that the other side is gone.
async fn noticed(remote: &Peer) -> bool {
    let sctp = remote.sctp().await.expect("the remote side is open").expect("data was negotiated");
    let transport = sctp.transport();
    let start = Instant::now();
    while start.elapsed() < TOLD_WITHIN {
        if transport.state().await.is_ok_and(|state| state == RTCDtlsTransportState::Closed) {
            return true;
        }
        async_io::Timer::after(Duration::from_millis(10)).await;
    }
    false
}

/// Whoever is told Closed is told it after the driver, the sockets and the handler are gone.
#[track_caller]
fn left_when_told(others: usize) {
    let left = (udp_sockets().len(), live_objects().drivers, HANDLERS.load(Ordering::Acquire));
    assert_eq!(left, (others, others, others), "expected sockets, drivers and handlers of others");
}

fn nothing_left() {
    until("nothing to be left of anything", || {
        udp_sockets().is_empty()
            && live_objects() == LiveObjects::default()
            && HANDLERS.load(Ordering::Acquire) == 0
    });
}

/// Opens and closes 2,000 peers, 1,000 connected pairs, and says how memory grew after warm-up.
fn cycle(backend: Backend) -> String {
    const CYCLES: usize = 2000;
    const WARM_UP: usize = 500;
    /// A connection that is leaked takes 237 KB.
    const MOST_BYTES_PER_CYCLE: f64 = 2048.0;
    let host = Host::start(backend);
    let graceful = Arc::new(Graceful::default());
    let [ours, theirs] = [(); 2].map(|()| set(&host).observer(Arc::clone(&graceful) as _).build());
    let mut samples = Vec::new();
    let mut cycles = 0;
    while cycles < CYCLES {
        let (a, b) = (ours.clone(), theirs.clone());
        let pairs = host.in_task(connect(a, b));
        cycles += 2 * pairs.len();
        drop(pairs);
        graceful.reach(cycles);
        left_when_told(0);
        nothing_left();
        if cycles > WARM_UP {
            samples.push((cycles as f64, resident_bytes() as f64));
        }
    }
    let slope = slope(&samples);
    assert!(
        slope < MOST_BYTES_PER_CYCLE,
        "expected memory to be flat, and it grows by {slope:.0} bytes a cycle: {samples:?}"
    );
    format!("{cycles} cycles, {slope:.0} bytes a cycle after {WARM_UP}")
}

/// The least-squares slope.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let n = samples.len() as f64;
    let mean = |axis: fn(&(f64, f64)) -> f64| samples.iter().map(axis).sum::<f64>() / n;
    let (x, y) = (mean(|s| s.0), mean(|s| s.1));
    let covariance: f64 = samples.iter().map(|s| (s.0 - x) * (s.1 - y)).sum();
    covariance / samples.iter().map(|s| (s.0 - x).powi(2)).sum::<f64>()
}

#[track_caller]
fn until(what: &str, condition: impl Fn() -> bool) {
    assert!(
        poll(PATIENCE, || condition().then_some(())).is_some(),
        "expected {what} within {PATIENCE:?}: {} sockets, {:?}, {} handlers",
        udp_sockets().len(),
        live_objects(),
        HANDLERS.load(Ordering::Acquire)
    );
}

/// The memory that this process has resident, in bytes (proc(5), `statm`).
fn resident_bytes() -> u64 {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a Linux");
    let pages = statm.split_whitespace().nth(1).expect("the second is what is resident");
    pages.parse::<u64>().expect("a number of pages") * PAGE
}
