//! The sessions that are open, and how an offer opens one. Nothing here knows HTTP.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_lock::{Semaphore, SemaphoreGuardArc};

use super::answer::{AnswerError, AnswerOptions, answer};
use super::offer::{self, MAX_CANDIDATES, OfferError};
use crate::peer::Peers;
use crate::runtime::Runtime;
use crate::sync::Mutex;
use crate::webrtc::Peer;

/// Which sessions are accepted. Every option has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionOptions {
    address: IpAddr,
    max_sessions: usize,
    connect_within: Duration,
    max_offer_bytes: usize,
}

impl SessionOptions {
    /// The defaults: connections are bound to the IPv4 loopback address, there are at most 256 sessions
    /// at once, each has 20 s to connect, and an offer has at most 64 KiB.
    pub fn new() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            max_sessions: 256,
            connect_within: Duration::from_secs(20),
            max_offer_bytes: 64 << 10,
        }
    }

    /// Sets the address that the connections' sockets are bound to. No other candidates are gathered.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets how many sessions there may be at once. One more is answered with 503.
    pub fn max_sessions(mut self, limit: usize) -> Self {
        self.max_sessions = limit;
        self
    }

    /// Sets how long a session may take to connect. After that it is closed.
    pub fn connect_within(mut self, limit: Duration) -> Self {
        self.connect_within = limit;
        self
    }

    /// Sets how long an offer may be, in bytes. A longer one is answered with 413.
    pub fn max_offer_bytes(mut self, limit: usize) -> Self {
        self.max_offer_bytes = limit;
        self
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The open sessions, by their secrets.
type OpenSessions = Mutex<HashMap<Box<str>, Arc<Session>>>;

/// The sessions.
pub(crate) struct Sessions {
    options: SessionOptions,
    peers: Peers,
    room: Arc<Semaphore>,
    open: Arc<OpenSessions>,
}

/// One session.
pub(crate) struct Session {
    pub(crate) stream: String,
    pub(crate) peer: Peer,
    /// The ICE session that candidates have to be of.
    pub(crate) etag: String,
    /// ICE's user name fragment of the offer.
    pub(crate) fragment: String,
    /// How many candidates came after the offer.
    candidates: AtomicUsize,
    _room: SemaphoreGuardArc,
}

/// A session that was opened.
pub(crate) struct Opened {
    /// Whoever knows it may end the session.
    pub(crate) secret: Box<str>,
    pub(crate) session: Arc<Session>,
    /// The answer to the offer.
    pub(crate) answer: String,
}

/// Why no session was opened.
#[derive(Debug)]
pub(crate) enum SessionError {
    /// The offer is not valid.
    Offer(OfferError),
    /// The offer was not answered.
    Answer(AnswerError),
    /// There are as many sessions as there may be.
    Full,
    /// The system has no random numbers.
    Random,
}

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Sessions {
    pub(crate) fn new(peers: &Peers, options: SessionOptions) -> Self {
        let room = Arc::new(Semaphore::new(options.max_sessions));
        Self { options, peers: peers.clone(), room, open: Arc::default() }
    }

    /// How long an offer, or a fragment, may be, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.options.max_offer_bytes
    }

    /// The session of that stream and secret.
    pub(crate) fn get(&self, stream: &str, secret: &str) -> Option<Arc<Session>> {
        let session = self.open.lock().get(secret).cloned();
        session.filter(|session| session.stream == stream)
    }

    /// Takes a session off that was closed.
    pub(crate) fn forget(&self, secret: &str) {
        let gone = self.open.lock().remove(secret);
        drop(gone);
    }

    /// Answers an offer with a new session.
    pub(crate) async fn open(&self, stream: String, sdp: String) -> Result<Opened, SessionError> {
        let fragment = offer::check(&sdp).map_err(SessionError::Offer)?.fragment.to_owned();
        let room = self.room.try_acquire_arc().ok_or(SessionError::Full)?;
        let (secret, etag) = (random()?, random()?);
        let options = AnswerOptions {
            address: self.options.address,
            group: stream.clone(),
            connect_within: self.options.connect_within,
            timeout: ANSWER_TIMEOUT,
        };
        let answered = answer(&self.peers, sdp, options).await;
        let (peer, answer) = answered.map_err(SessionError::Answer)?;
        let session = Arc::new(Session {
            stream,
            peer,
            etag: format!("\"{etag}\""),
            fragment,
            candidates: AtomicUsize::new(0),
            _room: room,
        });
        let secret = secret.into_boxed_str();
        self.open.lock().insert(secret.clone(), Arc::clone(&session));
        self.forget_when_closed(&secret, &session.peer);
        Ok(Opened { secret, session, answer })
    }

    /// It keeps nobody's session open: what it waits for first, the end of its peer's tasks, comes when
    /// a close begins, or when the connection has ended.
    fn forget_when_closed(&self, secret: &str, peer: &Peer) {
        let (open, secret) = (Arc::downgrade(&self.open), secret.to_owned());
        let (closing, peer) = (peer.tasks().token().cancelled(), peer.downgrade());
        let forget = async move {
            closing.await;
            // Its place is taken until then.
            if let Some(peer) = peer.upgrade() {
                peer.closed().await;
            }
            let gone = open.upgrade().and_then(|open| open.lock().remove(&*secret));
            drop(gone);
        };
        // The peer's runtime may be gone by then, and it runs no code of anybody else's.
        drop(Runtime::spawn_background(forget));
    }
}

impl Session {
    /// Counts candidates that are to be added; false if that is too many in all.
    pub(crate) fn admits(&self, more: usize) -> bool {
        self.candidates.fetch_add(more, Ordering::Relaxed) + more <= MAX_CANDIDATES
    }
}

/// 128 bits that nobody can guess, as text: knowing a session's address is the right to end it (RFC
/// 9725, section 5).
fn random() -> Result<String, SessionError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| SessionError::Random)?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    }))
}
