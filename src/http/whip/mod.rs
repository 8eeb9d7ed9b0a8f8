//! Sessions, so that clients have something to connect to: WHIP (RFC 9725).
//!
//! What comes through data channels is echoed, and media is received. A stream is a group of peers.

mod answer;
mod offer;
mod trickle;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_lock::{Semaphore, SemaphoreGuardArc};
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::answer::{AnswerError, AnswerOptions, add_candidate, answer};
use super::api::Shared;
use super::ask::{Id, Mount};
use super::control;
use super::guard::{Controller, Guarded};
use super::monitor::Answer;
use super::problem::Problem;
use crate::id::{GroupId, MAX_ID_BYTES};
use crate::peer::Peers;
use crate::runtime::time;
use crate::sync::Mutex;
use crate::webrtc::Peer;
use crate::wire::http::ProblemJson;

/// Which sessions are taken. Everything has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionOptions {
    address: IpAddr,
    max_sessions: usize,
    connect_within: Duration,
    max_offer_bytes: usize,
}

impl SessionOptions {
    /// On the loopback address; 256 sessions at once, which have 20 s to connect, with offers of at
    /// most 64 KiB.
    pub fn new() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            max_sessions: 256,
            connect_within: Duration::from_secs(20),
            max_offer_bytes: 64 << 10,
        }
    }

    /// Where the connections' sockets are bound. They gather no other candidates.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// How many sessions there may be at once. One more is answered with 503.
    pub fn max_sessions(mut self, limit: usize) -> Self {
        self.max_sessions = limit;
        self
    }

    /// How long a session may take to connect. Then it is closed.
    pub fn connect_within(mut self, limit: Duration) -> Self {
        self.connect_within = limit;
        self
    }

    /// How long an offer may be, in bytes. A longer one is answered with 413.
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

/// The sessions.
pub(super) struct Sessions {
    options: SessionOptions,
    peers: Peers,
    room: Arc<Semaphore>,
    open: Arc<Mutex<HashMap<Box<str>, Arc<Session>>>>,
}

struct Session {
    stream: String,
    peer: Peer,
    /// The ICE session that candidates have to be of.
    etag: String,
    fragment: String,
    /// How many candidates came after the offer.
    candidates: AtomicUsize,
    _room: SemaphoreGuardArc,
}

/// How long an answer, and the body of a request, may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a body that is too long is read, so that the client reads its answer.
const READ_BYTES: usize = 4 << 20;

/// More candidates than any client has, in all.
const MAX_CANDIDATES: usize = 256;

const OFFER: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

impl Sessions {
    pub(super) fn new(peers: &Peers, options: SessionOptions) -> Self {
        let room = Arc::new(Semaphore::new(options.max_sessions));
        Self { options, peers: peers.clone(), room, open: Arc::default() }
    }

    fn get(&self, stream: &str, secret: &str) -> Result<Arc<Session>, Problem> {
        let session = self.open.lock().get(secret).cloned();
        let session = session.filter(|session| session.stream == stream);
        session.ok_or_else(|| Problem::not_found("Session not found"))
    }

    /// Answers an offer with a new session; the answer is where it is.
    async fn open(
        &self,
        stream: String,
        sdp: String,
    ) -> Result<(Box<str>, Arc<Session>, String), Problem> {
        let fragment = offer::check(&sdp)
            .map_err(|error| Problem::bad_request(error.to_string()))?
            .fragment
            .to_owned();
        let busy = || {
            Problem::unavailable("There are too many sessions already")
                .with_header("retry-after", "1")
        };
        let room = self.room.try_acquire_arc().ok_or_else(busy)?;
        let (secret, etag) = (random()?, random()?);
        let options = AnswerOptions {
            address: self.options.address,
            group: stream.clone(),
            connect_within: self.options.connect_within,
            timeout: TIMEOUT,
        };
        let answered = answer(&self.peers, sdp, options).await;
        let (peer, sdp) = answered.map_err(|error| match error {
            AnswerError::Insert(_) => busy(),
            AnswerError::Offer(_) => Problem::unprocessable(error.to_string()),
            AnswerError::Open(_) | AnswerError::TimedOut => Problem::unavailable(error.to_string()),
        })?;
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
        Ok((secret, session, sdp))
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
        drop(crate::runtime::Runtime::spawn_background(forget));
    }
}

/// 128 bits that nobody can guess, as text: knowing a session's address is the right to end it (RFC
/// 9725, section 5).
fn random() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| Problem::unavailable("The system has no random numbers"))?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    }))
}

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(post, options)).routes(routes!(patch, delete))
}

fn sessions(shared: &Shared) -> Result<&Sessions, Problem> {
    shared.sessions.as_ref().ok_or_else(|| Problem::not_found("No sessions are taken"))
}

/// Opens a session with an offer.
#[utoipa::path(post, path = "/whip/{stream}", tag = "sessions",
    params(("stream" = String, Path, description = "The stream, which is a group: 1 to 256 bytes, no control characters")),
    request_body(content = String, content_type = "application/sdp"),
    responses(
        (status = 201, description = "The answer; `Location` is the session", content_type = "application/sdp", body = String),
        (status = 400, response = ProblemJson),
        (status = 404, response = ProblemJson),
        (status = 408, response = ProblemJson),
        (status = 413, response = ProblemJson),
        (status = 415, response = ProblemJson),
        (status = 422, response = ProblemJson),
        (status = 503, response = ProblemJson),
    ))]
async fn post(
    Controller(shared): Controller,
    Mount(mount): Mount,
    Id(stream): Id,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let sessions = sessions(&shared)?;
    if GroupId::new(&stream).is_err() || stream.contains(char::is_control) {
        return Err(Problem::bad_request(format!(
            "A stream's name has 1 to {MAX_ID_BYTES} bytes, and no control characters"
        )));
    }
    let sdp = text(&headers, OFFER, body, sessions.options.max_offer_bytes).await?;
    let (secret, session, answer) = sessions.open(stream, sdp).await?;
    let location =
        format!("{mount}/whip/{}/{secret}", utf8_percent_encode(&session.stream, UNRESERVED));
    let headers = [
        (header::LOCATION, location),
        (header::CONTENT_TYPE, OFFER.to_owned()),
        (header::ETAG, session.etag.clone()),
        (HeaderName::from_static("accept-patch"), FRAGMENT.to_owned()),
    ];
    Ok(Guarded((StatusCode::CREATED, headers, answer)).into_response())
}

/// Says what may be sent. There is no CORS.
#[utoipa::path(options, path = "/whip/{stream}", tag = "sessions",
    params(("stream" = String, Path, description = "The stream")),
    responses((status = 204, description = "`Accept-Post` says what may be sent")))]
async fn options(_: Controller, Id(_): Id) -> Response {
    let accept = (HeaderName::from_static("accept-post"), OFFER);
    let headers = [accept, (header::ALLOW, "POST, OPTIONS")];
    Guarded((StatusCode::NO_CONTENT, headers)).into_response()
}

/// Adds candidates to a session.
#[utoipa::path(patch, path = "/whip/{stream}/{session}", tag = "sessions",
    params(
        ("stream" = String, Path, description = "The stream"),
        ("session" = String, Path, description = "The session"),
        ("if-match" = Option<String>, Header, description = "The `ETag` of the session"),
    ),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag"),
    responses(
        (status = 204, description = "They were added"),
        (status = 400, response = ProblemJson),
        (status = 404, response = ProblemJson),
        (status = 408, response = ProblemJson),
        (status = 412, response = ProblemJson),
        (status = 413, response = ProblemJson),
        (status = 415, response = ProblemJson),
        (status = 422, response = ProblemJson),
        (status = 428, response = ProblemJson),
    ))]
async fn patch(
    Controller(shared): Controller,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let Path((stream, secret)) = path?;
    let sessions = sessions(&shared)?;
    let session = sessions.get(&stream, &secret)?;
    let text = text(&headers, FRAGMENT, body, sessions.options.max_offer_bytes).await?;
    let fragment = trickle::parse(&text)
        .map_err(|reason| Problem::bad_request(format!("The fragment is not valid: {reason}")))?;
    if fragment.user.is_some_and(|user| user != session.fragment) {
        return Err(Problem::unprocessable("ICE restarts are not taken"));
    }
    match headers.get(header::IF_MATCH) {
        None => {
            return Err(Problem::precondition_required("Name the session's `ETag` in `If-Match`"));
        }
        Some(etags) if !matches(etags, &session.etag) => {
            return Err(Problem::precondition("The session is another by now"));
        }
        Some(_) => {}
    }
    let more = fragment.candidates.len();
    if session.candidates.fetch_add(more, Ordering::Relaxed) + more > MAX_CANDIDATES {
        return Err(Problem::bad_request("There are too many candidates"));
    }
    for (mid, candidate) in fragment.candidates {
        add_candidate(&session.peer, mid, candidate, fragment.user).await.map_err(|error| {
            Problem::unprocessable(format!("A candidate is not taken: {error}"))
        })?;
    }
    Ok(Guarded(StatusCode::NO_CONTENT).into_response())
}

/// Ends a session.
#[utoipa::path(delete, path = "/whip/{stream}/{session}", tag = "sessions",
    params(
        ("stream" = String, Path, description = "The stream"),
        ("session" = String, Path, description = "The session"),
    ),
    responses(
        (status = 200, description = "It is closed"),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
async fn delete(
    Controller(shared): Controller,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Answer {
    let Path((stream, secret)) = path?;
    let sessions = sessions(&shared)?;
    let session = sessions.get(&stream, &secret)?;
    let closing = session.peer.close();
    let operation = closing.operation();
    control::ended(&closing.await, operation)?;
    let gone = sessions.open.lock().remove(&*secret);
    drop(gone);
    Ok(Guarded(StatusCode::OK).into_response())
}

/// The body as text of a media type.
async fn text(
    headers: &HeaderMap,
    media_type: &str,
    body: Body,
    limit: usize,
) -> Result<String, Problem> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(media_type) {
        return Err(Problem::media_type(format!("The body has to be {media_type}")));
    }
    let deadline = time::after(Instant::now(), TIMEOUT);
    let bytes = time::by(deadline, Box::pin(read(body, limit))).await;
    let bytes = bytes.ok_or_else(|| Problem::timeout("The body did not arrive in time"))??;
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("The body is not UTF-8"))
}

/// Reads a body, and of one that is too long the rest too, within reason.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk: Bytes = chunk.map_err(|_| Problem::bad_request("The body broke off"))?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > READ_BYTES {
            break;
        }
    }
    if length > limit {
        return Err(Problem::too_large(format!("The body has at most {limit} bytes")));
    }
    Ok(kept)
}

/// Whether an `If-Match` has the tag (RFC 9110, section 13.1.1).
fn matches(etags: &HeaderValue, own: &str) -> bool {
    let mut etags = etags.to_str().unwrap_or_default().split(',').map(str::trim);
    etags.any(|etag| etag == own || etag == "*")
}

/// What may stand in a segment of a path (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
