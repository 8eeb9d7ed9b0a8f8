//! A network that can fail: a UDP proxy between two peers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Two sockets, each of which stands for the other side.
pub(crate) struct Proxy {
    sides: [Arc<Side>; 2],
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Side {
    socket: UdpSocket,
    /// The peer on this side.
    peer: Mutex<Option<SocketAddr>>,
}

#[derive(Default)]
struct Shared {
    cut: AtomicBool,
    over: AtomicBool,
}

/// How often a thread looks whether it is over.
const LOOK: Duration = Duration::from_millis(50);

impl Proxy {
    pub(crate) fn start() -> io::Result<Self> {
        let side = || -> io::Result<Arc<Side>> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_read_timeout(Some(LOOK))?;
            Ok(Arc::new(Side { socket, peer: Mutex::new(None) }))
        };
        let sides = [side()?, side()?];
        let shared = Arc::new(Shared::default());
        let threads = [(0, 1), (1, 0)]
            .map(|(from, to)| {
                let (from, to) = (Arc::clone(&sides[from]), Arc::clone(&sides[to]));
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || carry(&from, &to, &shared))
            })
            .into_iter()
            .collect();
        Ok(Self { sides, shared, threads })
    }

    /// Loses everything from now on, or nothing any more.
    pub(crate) fn cut(&self, cut: bool) {
        self.shared.cut.store(cut, Ordering::Release);
    }

    /// What `side`'s description is to the other side: reachable through the proxy alone.
    pub(crate) fn description(&self, side: usize, sdp: &str) -> String {
        let port = self.sides[1 - side].socket.local_addr().expect("it is bound").port();
        let mut lines = Vec::new();
        for line in sdp.lines() {
            let Some(candidate) = line.strip_prefix("a=candidate:") else {
                lines.push(line.to_owned());
                continue;
            };
            let mut words: Vec<_> = candidate.split(' ').map(str::to_owned).collect();
            let own = (Ipv4Addr::LOCALHOST, words[5].parse().expect("a port")).into();
            *self.sides[side].peer.lock().unwrap() = Some(own);
            words[5] = port.to_string();
            lines.push(format!("a=candidate:{}", words.join(" ")));
        }
        lines.join("\r\n") + "\r\n"
    }
}

fn carry(from: &Side, to: &Side, shared: &Shared) {
    let mut packet = [0; 2048];
    while !shared.over.load(Ordering::Acquire) {
        let Ok((length, _)) = from.socket.recv_from(&mut packet) else { continue };
        let peer = *to.peer.lock().unwrap();
        if let Some(peer) = peer.filter(|_| !shared.cut.load(Ordering::Acquire)) {
            // A closed peer's port refuses it.
            let _ = to.socket.send_to(&packet[..length], peer);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
