//! Opens and finds sessions. Each session is a peer. This module is independent of HTTP.
//!
//! There is no list of sessions: the [`Peers`] own the peers, and the id of a session's peer is
//! derived from the session's secret.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_lock::Semaphore;

use super::echo::Echo;
use super::error::SessionError;
use super::offer::{self, MAX_CANDIDATES};
use super::options::SessionOptions;
use super::secret;
use super::settings;
use crate::peer::{PeerOptions, Peers, ReaperOptions};
use crate::webrtc::peer_connection::{RTCIceCandidateInit, RTCSessionDescription};
use crate::webrtc::{self, Candidates, OpenError, OperationError, Peer};

/// How long the answer to an offer may take, by the clock of the peer's runtime.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The sessions that were opened through one API. Dropping this closes them.
pub(crate) struct Sessions {
    options: SessionOptions,
    peers: Peers,
    /// A permit for each session.
    places: Arc<Semaphore>,
}

/// An open session.
pub(super) struct Session {
    pub(super) peer: Peer,
    pub(super) ice: Arc<IceSession>,
}

/// The ICE session of a WHIP session, stored as the data of its peer.
pub(super) struct IceSession {
    /// The entity tag that requests with candidates must carry.
    pub(super) etag: String,
    /// The ICE user name fragment of the offer.
    pub(super) fragment: String,
    /// The number of candidates that followed the offer.
    candidates: AtomicUsize,
    /// The permits of the [`Sessions`] that opened this session, by which it is recognised.
    places: Arc<Semaphore>,
}

/// A session that was just opened.
pub(super) struct Opened {
    /// The secret in the session's URL, with which a client may end the session.
    pub(super) secret: String,
    pub(super) etag: String,
    /// The answer to the offer.
    pub(super) answer: String,
}

impl Sessions {
    pub(crate) fn new(peers: &Peers, options: SessionOptions) -> Self {
        let places = Arc::new(Semaphore::new(options.max_sessions));
        Self { options, peers: peers.clone(), places }
    }

    /// The maximum length of an offer or a fragment, in bytes.
    pub(super) fn max_bytes(&self) -> usize {
        self.options.max_offer_bytes
    }

    /// Finds the session with this stream and secret.
    pub(super) fn get(&self, stream: &str, secret: &str) -> Option<Session> {
        let peer = webrtc::get(&self.peers, secret::peer_id(secret))?;
        let is_of_stream = peer.group().is_some_and(|group| group.as_str() == stream);
        let ice = self.ice_session(&peer).filter(|_| is_of_stream).cloned()?;
        Some(Session { peer, ice })
    }

    /// The ICE session of a peer that these sessions opened.
    fn ice_session<'a>(&self, peer: &'a crate::Peer) -> Option<&'a Arc<IceSession>> {
        peer.data::<Arc<IceSession>>().filter(|ice| Arc::ptr_eq(&ice.places, &self.places))
    }

    /// Opens a session that answers an offer. If the future is dropped, the session is closed.
    pub(super) async fn open(&self, stream: &str, sdp: String) -> Result<Opened, SessionError> {
        let fragment = offer::check(&sdp)?.fragment.to_owned();
        let place = self.places.try_acquire_arc().ok_or(SessionError::Full)?;
        let (secret, etag) = (secret::generate()?, format!("\"{}\"", secret::generate()?));
        let ice = IceSession {
            etag: etag.clone(),
            fragment,
            candidates: AtomicUsize::new(0),
            places: Arc::clone(&self.places),
        };
        let options = PeerOptions::new()
            .id(secret::peer_id(&secret))
            .group(stream)
            .reaper(ReaperOptions::new().never_connected(Some(self.options.connect_within)))
            .data(Arc::new(ice));
        let builder = settings::builder(self.options.address).map_err(OpenError::Build)?;
        let echo = |peer| Arc::new(Echo::new(peer, place)) as _;
        let peer = webrtc::open(&self.peers, builder, echo, options).await?;
        let clock = peer.status().clock();
        let answered = clock.by(clock.after(ANSWER_TIMEOUT), pin!(answer(&peer, sdp))).await;
        let refused = match answered {
            Some(Ok(answer)) => {
                peer.detach();
                return Ok(Opened { secret, etag, answer });
            }
            Some(Err(error)) => error.into(),
            None => SessionError::TimedOut,
        };
        peer.close().await;
        Err(refused)
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        for peer in self.peers.all() {
            if self.ice_session(&peer).is_some() {
                drop(peer.close());
            }
        }
    }
}

impl Session {
    /// Adds a candidate that followed the offer.
    pub(super) async fn add_candidate(
        &self,
        mid: Option<&str>,
        candidate: &str,
        fragment: Option<&str>,
    ) -> Result<(), OperationError> {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.to_owned(),
            sdp_mid: mid.map(str::to_owned),
            sdp_mline_index: None,
            username_fragment: fragment.map(str::to_owned),
            url: None,
        };
        self.peer.add_ice_candidate(candidate).await
    }
}

impl IceSession {
    /// Counts candidates that are to be added. Returns false if the session then has too many.
    pub(super) fn admits(&self, more: usize) -> bool {
        self.candidates.fetch_add(more, Ordering::Relaxed) + more <= MAX_CANDIDATES
    }
}

/// Makes `peer` answer `offer`, and returns the answer with all candidates.
async fn answer(peer: &Peer, offer: String) -> Result<String, OperationError> {
    // The offer comes from a client, and the parser of `webrtc` may panic.
    let offer = catch_unwind(AssertUnwindSafe(|| RTCSessionDescription::offer(offer)))
        .map_err(|_payload| OperationError::Panicked("in parsing the offer".to_owned()))??;
    Ok(webrtc::answer(peer, offer, Candidates::Complete).await?.sdp)
}
