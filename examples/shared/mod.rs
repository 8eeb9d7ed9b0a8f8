//! What every example does, whatever its executor: open pairs of real peers, send a megabyte
//! through each, close them in every way there is, and look at what is left.

mod flag;
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;
mod proc;

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, CloseReason, ReaperOptions};
use anypeer::runtime::Runtime;
use anypeer::webrtc::data_channel::{DataChannel, DataChannelEvent};
use anypeer::webrtc::live_objects;
use anypeer::{Event, EventKind, Observer, Outcome, PeerId, PeerOptions, Peers};
use futures::channel::oneshot;
use futures::future::try_join_all;

use loopback::{Error, HANDLERS, Pair};

const USAGE: &str = "usage: [--peers N]   N connected pairs, 1 to 1000; 8 unless said otherwise";

/// How many pairs shake hands and transfer at once.
const AT_ONCE: usize = 32;

const TRANSFER_BYTES: usize = 1 << 20;
const MESSAGE_BYTES: usize = 16 << 10;

/// The bound of everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the example on `runtime`. It succeeds if nothing is left and every outcome is true.
pub(crate) async fn main(runtime: Runtime) -> ExitCode {
    let pairs = match arguments(std::env::args().skip(1)) {
        Ok(Some(pairs)) => pairs,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match demonstrate(runtime, pairs).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<usize>, String> {
    let mut pairs = 8;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--peers" => {
                let value = arguments.next().unwrap_or_default();
                pairs = match value.parse() {
                    Ok(pairs @ 1..=1000) => pairs,
                    _ => {
                        return Err(format!(
                            "--peers takes a number from 1 to 1000, not {value:?}"
                        ));
                    }
                };
            }
            other => return Err(format!("there is no {other:?}")),
        }
    }
    Ok(Some(pairs))
}

/// The ways to close a peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Path {
    Awaited,
    WaitedOnPlainThread,
    StartedAndDropped,
    OwnerDropped,
    Group,
    CloseAll,
}

impl Path {
    const ALL: [Self; 6] = [
        Self::Awaited,
        Self::WaitedOnPlainThread,
        Self::StartedAndDropped,
        Self::OwnerDropped,
        Self::Group,
        Self::CloseAll,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::WaitedOnPlainThread => "waited on, plain thread",
            Self::StartedAndDropped => "started in async, dropped",
            Self::OwnerDropped => "last owner dropped",
            Self::Group => "group",
            Self::CloseAll => "close-all",
        }
    }

    /// The reason that the peers must be told to have been closed for.
    fn reason(self) -> CloseReason {
        match self {
            Self::Awaited | Self::WaitedOnPlainThread | Self::StartedAndDropped => {
                CloseReason::Requested
            }
            Self::OwnerDropped => CloseReason::Dropped,
            Self::Group => CloseReason::GroupClosed,
            Self::CloseAll => CloseReason::AllClosed,
        }
    }
}

/// Why, how, and in what time a peer was told to be closed.
type ToldClosed = (CloseReason, CloseMode, Duration);

/// Every Closed that was told.
#[derive(Default)]
struct Told {
    closed: Mutex<HashMap<PeerId, Vec<ToldClosed>>>,
}

impl Told {
    fn knows_all(&self, ids: &[PeerId]) -> bool {
        let closed = self.closed.lock().unwrap();
        ids.iter().all(|id| closed.contains_key(id))
    }
}

impl Observer for Told {
    fn on_event(&self, event: &Event<'_>) {
        if let (Some(peer), EventKind::Closed { reason, mode, took, .. }) =
            (event.peer, &event.kind)
        {
            let mut closed = self.closed.lock().unwrap();
            let told = closed.entry(peer.clone()).or_default();
            told.push((*reason, (*mode).clone(), *took));
        }
    }
}

/// What the process has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Inventory {
    udp_sockets: usize,
    drivers: usize,
    handlers: usize,
    tasks: usize,
}

impl Inventory {
    fn take() -> Self {
        let live_objects = live_objects();
        Self {
            // As the kernel counts them.
            udp_sockets: proc::udp_sockets().len(),
            drivers: live_objects.drivers,
            // As their own drop counts them.
            handlers: HANDLERS.load(Ordering::Acquire),
            tasks: live_objects.tasks,
        }
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { udp_sockets, drivers, handlers, tasks } = self;
        write!(f, "{udp_sockets:>12}{drivers:>10}{handlers:>16}{tasks:>8}")
    }
}

/// A row of the table.
struct Row {
    path: Path,
    peers: usize,
    graceful: usize,
    forced: usize,
    slowest: Duration,
    untrue: Vec<String>,
}

async fn demonstrate(runtime: Runtime, pairs: usize) -> Result<bool, Error> {
    println!("{pairs} pairs of peers on {}, {TRANSFER_BYTES} bytes through each\n", runtime.name());
    let before = Inventory::take();
    let told = Arc::new(Told::default());
    // Each side is closed by its own path, and not because the other one has gone.
    let reaper = ReaperOptions::new().goodbye(false);
    let peers = Peers::builder().runtime(runtime).reaper(reaper);
    let peers = peers.observer(Arc::clone(&told) as _).build();

    let start = Instant::now();
    let mut by_path: HashMap<Path, Vec<Pair>> = HashMap::new();
    let mut done = 0;
    while done < pairs {
        let batch = (done..pairs.min(done + AT_ONCE)).map(|i| connect_and_transfer(&peers, i));
        for (i, pair) in (done..).zip(try_join_all(batch).await?) {
            by_path.entry(path_of(i)).or_default().push(pair);
            done = i + 1;
        }
        progress("connected", done, pairs);
    }
    progress_end();
    println!("connected and transferred in {} ms", start.elapsed().as_millis());
    let open = Inventory::take();

    let mut rows = Vec::new();
    for path in Path::ALL {
        let Some(pairs) = by_path.remove(&path) else {
            continue;
        };
        let left = Inventory::take().udp_sockets - 2 * pairs.len();
        rows.push(close(path, &peers, pairs, &told, left).await);
    }
    drop(peers);
    let after = settled(before).await;

    println!(
        "\n{:<28}{:>6}{:>10}{:>8}{:>16}",
        "closed by", "peers", "graceful", "forced", "slowest"
    );
    for Row { path, peers, graceful, forced, slowest, .. } in &rows {
        let slowest = format!("{:.2} ms", slowest.as_secs_f64() * 1e3);
        println!("{:<28}{peers:>6}{graceful:>10}{forced:>8}{slowest:>16}", path.name());
    }
    println!(
        "\n{:<28}{:>12}{:>10}{:>16}{:>8}",
        "", "UDP sockets", "drivers", "user handlers", "tasks"
    );
    println!("{:<28}{before}\n{:<28}{open}\n{:<28}{after}", "before", "open", "after");

    let untrue: Vec<_> = rows.iter().flat_map(|row| &row.untrue).collect();
    for untrue in &untrue {
        println!("\nUNTRUE: {untrue}");
    }
    let nothing_left = after == before;
    println!("\n{}", if nothing_left { "nothing is left" } else { "SOMETHING IS LEFT" });
    Ok(untrue.is_empty() && nothing_left)
}

/// The ways take turns.
fn path_of(pair: usize) -> Path {
    Path::ALL[pair % Path::ALL.len()]
}

async fn connect_and_transfer(peers: &Peers, i: usize) -> Result<Pair, Error> {
    let group = match path_of(i) {
        Path::Group => "leaves together",
        _ => "leaves alone",
    };
    let options = || PeerOptions::new().group(group);
    let pair = Pair::open(peers, options(), options()).await?;
    let far_end = pair.answerer_seen.channels.lock().unwrap().first().cloned();
    let far_end = far_end.ok_or("the answerer has no channel")?;
    let (sent, received) = futures::try_join!(send(&*pair.channel, i as u64), receive(&*far_end))?;
    if sent != received {
        return Err(format!("sent {sent:x}, received {received:x}").into());
    }
    Ok(pair)
}

/// Sends the bytes; their checksum.
async fn send(channel: &dyn DataChannel, seed: u64) -> Result<u64, Error> {
    let mut checksum = DefaultHasher::new();
    for number in 0..TRANSFER_BYTES / MESSAGE_BYTES {
        let message: Vec<u8> = (0..MESSAGE_BYTES)
            .map(|byte| (seed as usize + number + byte).wrapping_mul(0x9e37_79b9) as u8)
            .collect();
        checksum.write(&message);
        channel.send(message.as_slice().into()).await?;
    }
    Ok(checksum.finish())
}

/// Receives the bytes; their checksum.
async fn receive(channel: &dyn DataChannel) -> Result<u64, Error> {
    let mut checksum = DefaultHasher::new();
    let mut received = 0;
    while received < TRANSFER_BYTES {
        match channel.poll().await {
            Some(DataChannelEvent::OnMessage(message)) => {
                checksum.write(&message.data);
                received += message.data.len();
            }
            Some(_) => {}
            None => return Err("the channel ended in mid-transfer".into()),
        }
    }
    Ok(checksum.finish())
}

/// Closes the pairs by one path, and holds every outcome against what is really there after.
async fn close(path: Path, peers: &Peers, pairs: Vec<Pair>, told: &Told, left: usize) -> Row {
    let ids: Vec<_> = pairs
        .iter()
        .flat_map(|pair| [&pair.offerer, &pair.answerer])
        .map(|p| p.id().clone())
        .collect();
    let mut outcomes = Vec::new();
    match path {
        Path::Awaited => {
            for pair in &pairs {
                outcomes.push(pair.offerer.close().await);
                outcomes.push(pair.answerer.close().await);
            }
        }
        Path::WaitedOnPlainThread => {
            let (done, result) = oneshot::channel();
            let owners: Vec<_> =
                pairs.iter().flat_map(|p| [p.offerer.clone(), p.answerer.clone()]).collect();
            std::thread::spawn(move || {
                let waited = owners.iter().map(|owner| owner.close().wait(PATIENCE));
                let _ = done.send(waited.collect::<Result<Vec<_>, _>>());
            });
            match result.await {
                Ok(Ok(waited)) => outcomes.extend(waited),
                failed => eprintln!("the thread failed: {failed:?}"),
            }
        }
        Path::StartedAndDropped => {
            for pair in &pairs {
                drop((pair.offerer.close(), pair.answerer.close()));
            }
        }
        Path::OwnerDropped => {}
        Path::Group => {
            let report = peers.close_group("leaves together").await;
            outcomes.extend(report.peers.into_iter().map(|peer| peer.outcome));
        }
        Path::CloseAll => {
            let report = peers.close_all().await;
            outcomes.extend(report.peers.into_iter().map(|peer| peer.outcome));
        }
    }
    drop(pairs);
    let mut untrue = Vec::new();
    let in_handle = !matches!(path, Path::StartedAndDropped | Path::OwnerDropped);
    if in_handle {
        if outcomes.len() != ids.len() || !outcomes.iter().all(Outcome::is_closed) {
            untrue.push(format!("{}: {outcomes:?} of {} peers", path.name(), ids.len()));
        }
        let sockets = Inventory::take().udp_sockets;
        if sockets > left {
            untrue.push(format!("{}: said closed, with {sockets} sockets open", path.name()));
        }
    }
    // The sockets go first, and Closed is told when the handlers have been.
    let over = || Inventory::take().udp_sockets <= left && told.knows_all(&ids);
    let deadline = Instant::now() + PATIENCE;
    while !over() && Instant::now() < deadline {
        nap().await;
    }
    tally(path, &ids, told, untrue)
}

/// What was told of each peer: exactly one Closed, for the right reason.
fn tally(path: Path, ids: &[PeerId], told: &Told, mut untrue: Vec<String>) -> Row {
    let (mut graceful, mut forced, mut slowest) = (0, 0, Duration::ZERO);
    let closed = told.closed.lock().unwrap();
    for id in ids {
        match closed.get(id).map(Vec::as_slice) {
            Some([(reason, closure, took)]) if *reason == path.reason() => {
                match closure {
                    CloseMode::Graceful => graceful += 1,
                    _ => forced += 1,
                }
                slowest = slowest.max(*took);
            }
            other => untrue.push(format!("{}: {id} was told {other:?}", path.name())),
        }
    }
    Row { path, peers: ids.len(), graceful, forced, slowest, untrue }
}

/// The inventory once it is as `before`, or when patience has ended.
async fn settled(before: Inventory) -> Inventory {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = Inventory::take();
        if now == before || Instant::now() > deadline {
            return now;
        }
        nap().await;
    }
}

/// A short sleep that needs no runtime.
async fn nap() {
    async_io::Timer::after(Duration::from_millis(2)).await;
}

/// On a terminal only: how far it is.
fn progress(what: &str, done: usize, all: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{what} {done} of {all}");
        let _ = std::io::stderr().flush();
    }
}

fn progress_end() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
