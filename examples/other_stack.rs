//! anypeer with a WebRTC stack that is not the `webrtc` crate: a str0m peer over a UDP socket, in
//! one set with `webrtc` peers that it talks to: `cargo run --release --example other_stack`.
//!
//! Its open reserves a place first, and fills it when there is a connection: cancelled before that,
//! it leaves nothing.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

#[path = "shared/flag.rs"]
mod flag;
#[path = "shared/loopback.rs"]
#[allow(dead_code, reason = "several programs share it, and each uses a part")]
mod loopback;
#[path = "shared/proc.rs"]
mod proc;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use anypeer::peer::{
    CloseMode, CloseReason, Connection, ConnectionError, EndNotice, ForceCause, StateNotice,
};
use anypeer::runtime::{BoxFuture, SmolSpawner};
use anypeer::task::CancellationToken;
use anypeer::webrtc::data_channel::DataChannelEvent;
use anypeer::webrtc::peer_connection::RTCSessionDescription;
use anypeer::webrtc::{self, Candidates, live_objects};
use anypeer::{ConnectionState, Outcome, Peer, PeerOptions, Peers};
use async_io::{Async, Timer};
use futures::FutureExt;
use futures::future::poll_immediate;
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

use flag::Flag;
use loopback::{Error, HANDLERS};

const GREETING: &[u8] = b"hello from str0m";
const REPLY: &[u8] = b"hello from webrtc";
const PATIENCE: Duration = Duration::from_secs(10);

/// What of a str0m peer is known outside its driver.
struct Shared {
    /// Asks the driver to end in order.
    closing: CancellationToken,
    /// Drops the driver.
    aborted: CancellationToken,
    /// Cancelled when the driver and its socket are gone.
    ended: CancellationToken,
    state: Mutex<(ConnectionState, Instant)>,
    address: SocketAddr,
    /// Raised when the other side's reply has come.
    replied: Flag,
    /// Given whenever the state has changed.
    state_notice: OnceLock<StateNotice>,
    /// Given if the driver ends by itself.
    end_notice: Mutex<Option<EndNotice>>,
}

impl Shared {
    fn set_state(&self, state: ConnectionState) {
        *self.state.lock().unwrap() = (state, Instant::now());
        if let Some(notice) = self.state_notice.get() {
            notice.changed();
        }
    }
}

/// A str0m peer, as anypeer sees it.
struct Str0m(Arc<Shared>);

impl Connection for Str0m {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        Box::pin(async move {
            self.0.closing.cancel();
            self.0.ended.cancelled().await;
            Ok(Some(CloseMode::Graceful))
        })
    }

    fn is_cooperative(&self) -> bool {
        true
    }

    fn abort(self: Arc<Self>) -> BoxFuture<Option<CloseMode>> {
        Box::pin(async move {
            self.0.aborted.cancel();
            // On an executor that nobody drives it does not come to that, and the close says so.
            self.0.ended.cancelled().await;
            Some(CloseMode::Forced(ForceCause::Unresponsive))
        })
    }

    fn watch_end(&self, notice: EndNotice) {
        *self.0.end_notice.lock().unwrap() = Some(notice);
    }

    fn watch_state(&self, notice: StateNotice) {
        // A connection is registered once.
        let _first = self.0.state_notice.set(notice);
    }

    fn state(&self) -> Option<ConnectionState> {
        Some(self.0.state.lock().unwrap().0)
    }

    fn state_since(&self) -> Option<Instant> {
        Some(self.0.state.lock().unwrap().1)
    }

    fn sockets(&self) -> Vec<SocketAddr> {
        if self.0.ended.is_cancelled() { Vec::new() } else { vec![self.0.address] }
    }
}

/// Says that the driver is gone, when it is, however it went.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.set_state(ConnectionState::Closed);
        self.0.ended.cancel();
        let notice = self.0.end_notice.lock().unwrap().take();
        if let (Some(notice), false) = (notice, self.0.closing.is_cancelled()) {
            notice.ended(ForceCause::DriverEnded);
        }
    }
}

/// Opens a str0m peer with a data channel: `signal` is given its offer, and gives the answer.
///
/// Cancelled while it waits for that, it leaves nothing: the reservation gives its place back, and the
/// socket is closed with the future.
async fn open(
    peers: &Peers,
    signal: impl AsyncFnOnce(String) -> Result<String, Error>,
) -> Result<(Peer, Arc<Shared>), Error> {
    let reservation = peers.reserve(PeerOptions::new())?;
    let runtime = reservation.runtime().clone();
    let socket = Async::<UdpSocket>::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.get_ref().local_addr()?;
    let mut rtc = Rtc::new(Instant::now());
    rtc.add_local_candidate(Candidate::host(address, "udp")?);
    let mut changes = rtc.sdp_api();
    changes.add_channel(String::from("chat"));
    let (offer, pending) = changes.apply().ok_or("there is nothing to offer")?;
    let answer = signal(SdpOffer::to_sdp_string(&offer)).await?;
    rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer)?)?;

    let shared = Arc::new(Shared {
        closing: CancellationToken::new(),
        aborted: CancellationToken::new(),
        ended: CancellationToken::new(),
        state: Mutex::new((ConnectionState::New, Instant::now())),
        address,
        replied: Flag::default(),
        state_notice: OnceLock::new(),
        end_notice: Mutex::new(None),
    });
    let peer = reservation.insert(Arc::new(Str0m(Arc::clone(&shared))))?;
    let driver = Driver { rtc, socket, shared: Arc::clone(&shared) };
    let (aborted, ended) = (shared.aborted.clone(), Ended(Arc::clone(&shared)));
    drop(runtime.spawn(async move {
        if let Some(Err(error)) = aborted.run_until_cancelled(driver.run()).await {
            eprintln!("str0m: {error}");
        }
        drop(ended);
    }));
    Ok((peer, shared))
}

/// The loop that str0m leaves to its user.
struct Driver {
    rtc: Rtc,
    socket: Async<UdpSocket>,
    shared: Arc<Shared>,
}

impl Driver {
    async fn run(mut self) -> Result<(), Error> {
        let closing = self.shared.closing.clone();
        let mut asked = Box::pin(closing.cancelled()).fuse();
        let mut packet = vec![0; 2000];
        loop {
            let Some(until) = self.drain().await? else { return Ok(()) };
            let mut timer = FutureExt::fuse(Timer::at(until));
            futures::select! {
                () = asked => self.rtc.close()?,
                now = timer => self.rtc.handle_input(Input::Timeout(now))?,
                received = self.socket.recv_from(&mut packet).fuse() => {
                    let (length, source) = received?;
                    let destination = self.shared.address;
                    let contents = &packet[..length];
                    let receive = Receive::new(Protocol::Udp, source, destination, contents)?;
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                }
            }
        }
    }

    /// Does what str0m wants done; until when it can wait, or `None` when it has ended.
    async fn drain(&mut self) -> Result<Option<Instant>, Error> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(until) => return Ok(self.rtc.is_alive().then_some(until)),
                Output::Transmit(out) => {
                    // A port that is closed by now refuses it.
                    let _ = self.socket.send_to(&out.contents, out.destination).await;
                }
                Output::Event(event) => self.heard(event)?,
            }
        }
    }

    fn heard(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Connected => self.shared.set_state(ConnectionState::Connected),
            Event::IceConnectionStateChange(IceConnectionState::Checking) => {
                self.shared.set_state(ConnectionState::Connecting);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.shared.set_state(ConnectionState::Disconnected);
            }
            Event::ChannelOpen(channel, _) => self.greet(channel)?,
            Event::ChannelData(data) if data.data == REPLY => self.shared.replied.raise(),
            _ => {}
        }
        Ok(())
    }

    fn greet(&mut self, channel: ChannelId) -> Result<(), Error> {
        let mut channel = self.rtc.channel(channel).ok_or("the channel is not open")?;
        channel.write(false, GREETING)?;
        Ok(())
    }
}

/// A str0m peer and a `webrtc` peer that have greeted each other.
struct Pair {
    str0m: Peer,
    shared: Weak<Shared>,
    webrtc: webrtc::Peer,
}

async fn connect(peers: &Peers) -> Result<Pair, Error> {
    let (webrtc, seen) = loopback::open(peers, PeerOptions::new()).await?;
    let answer = async |offer| {
        let offer = RTCSessionDescription::offer(offer)?;
        Ok(webrtc::answer(&webrtc, offer, Candidates::Complete).await?.sdp)
    };
    let (str0m, shared) = open(peers, answer).await?;
    str0m.connected().await?;
    seen.channel.wait().await;
    let channel = Arc::clone(&seen.channels.lock().unwrap()[0]);
    loop {
        match channel.poll().await.ok_or("the channel ended")? {
            DataChannelEvent::OnMessage(message) if message.data == GREETING => break,
            _ => {}
        }
    }
    channel.send(REPLY.into()).await?;
    shared.replied.wait().await;
    Ok(Pair { str0m, shared: Arc::downgrade(&shared), webrtc })
}

/// Which side ends, and how; what it saw.
async fn end(pair: Pair, how: &str) -> Result<String, Error> {
    let Pair { str0m, shared, webrtc } = pair;
    let start = Instant::now();
    let said = match how {
        "str0m is closed" => {
            let outcome = str0m.close().await;
            if outcome != Outcome::Closed(CloseMode::Graceful) {
                return Err(format!("expected a graceful close, and it was {outcome}").into());
            }
            let noticed = webrtc.closed().await;
            if noticed != CloseReason::RemoteClosed {
                return Err(format!("expected a goodbye, and it was {noticed}").into());
            }
            format!("{outcome}; webrtc noticed: {noticed}")
        }
        "webrtc is closed" => {
            let outcome = webrtc.close().await;
            let noticed = str0m.closed().await;
            if !outcome.is_closed() || noticed != CloseReason::Ended {
                return Err(format!("expected both to end: {outcome}, {noticed}").into());
            }
            format!("{outcome}; str0m noticed: {noticed}")
        }
        _ => {
            drop(str0m);
            let noticed = webrtc.closed().await;
            if noticed != CloseReason::RemoteClosed {
                return Err(format!("expected a goodbye, and it was {noticed}").into());
            }
            format!("webrtc noticed: {noticed}")
        }
    };
    let took = start.elapsed();
    while shared.upgrade().is_some_and(|shared| !shared.ended.is_cancelled()) {
        if start.elapsed() > PATIENCE {
            return Err("the str0m driver lives on".into());
        }
        Timer::after(Duration::from_millis(2)).await;
    }
    Ok(format!("{said}, {} ms", took.as_millis()))
}

/// Cancels an open that waits for its answer; what it had, and what it leaves.
async fn cancel(peers: &Peers) -> Result<String, Error> {
    let holds = || (peers.len(), proc::udp_sockets().len());
    let before = holds();
    let mut opening = Box::pin(open(peers, async |_offer| std::future::pending().await));
    if poll_immediate(&mut opening).await.is_some() {
        return Err("expected it to wait for its answer".into());
    }
    let waiting = holds();
    drop(opening);
    let left = holds();
    if waiting != (before.0 + 1, before.1 + 1) || left != before {
        return Err(
            format!("expected nothing to be left: {before:?}, {waiting:?}, {left:?}").into()
        );
    }
    Ok(format!("leaves {} peers, {} UDP sockets", left.0 - before.0, left.1 - before.1))
}

async fn demonstrate() -> Result<bool, Error> {
    let peers = Peers::builder().runtime(SmolSpawner::new()).build();
    for how in ["str0m is closed", "webrtc is closed", "str0m's last owner is dropped"] {
        let pair = connect(&peers).await?;
        println!("{how:<32}{}", end(pair, how).await?);
    }
    println!("{:<32}{}", "an open is cancelled", cancel(&peers).await?);
    let report = peers.shutdown().await;
    if !report.all_closed() {
        return Err(format!("expected nothing to be left to close: {report}").into());
    }
    let left = || {
        let handlers = HANDLERS.load(std::sync::atomic::Ordering::Acquire);
        (proc::udp_sockets().len(), live_objects(), handlers)
    };
    let start = Instant::now();
    while left() != (0, webrtc::LiveObjects::default(), 0) && start.elapsed() < PATIENCE {
        Timer::after(Duration::from_millis(2)).await;
    }
    let (sockets, live_objects, handlers) = left();
    let nothing_left = left() == (0, webrtc::LiveObjects::default(), 0);
    println!("\n{sockets} UDP sockets, {} drivers, {handlers} handlers", live_objects.drivers);
    println!("{}", if nothing_left { "nothing is left" } else { "SOMETHING IS LEFT" });
    Ok(nothing_left)
}

fn main() -> ExitCode {
    match smol::block_on(demonstrate()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}
