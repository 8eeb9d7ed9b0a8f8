//! The routes of WHIP sessions.

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::text;
use super::error::{SessionError, refusal};
use super::sessions::{Opened, Session, Sessions};
use super::trickle;
use crate::http::edge::guard::Controller;
use crate::http::edge::problem::{Answer, Problem, with_causes};
use crate::http::edge::request::{Id, Mount};
use crate::http::edge::response::Guarded;
use crate::http::routes::control;
use crate::http::shared::Shared;
use crate::id::{GroupId, MAX_ID_BYTES};
use crate::peer::InsertError;
use crate::webrtc::{OpenError, OperationError};
use crate::wire::http::ProblemJson;

/// The media type of offers and answers (RFC 8866).
const OFFER: &str = "application/sdp";
/// The media type of fragments with candidates (RFC 8840).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The routes of sessions.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(post, options)).routes(routes!(patch, delete))
}

fn sessions(shared: &Shared) -> Result<&Sessions, Problem> {
    shared.sessions.as_ref().ok_or_else(|| Problem::not_found("WHIP sessions are not enabled"))
}

fn session(sessions: &Sessions, stream: &str, secret: &str) -> Result<Session, Problem> {
    sessions.get(stream, secret).ok_or_else(no_session)
}

fn no_session() -> Problem {
    Problem::not_found("Session not found")
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        let detail = with_causes(&error);
        match error {
            SessionError::Offer(_) | SessionError::Open(OpenError::Insert(InsertError::Id(_))) => {
                Self::bad_request(detail)
            }
            SessionError::Answer(_) => Self::unprocessable(detail),
            // Temporary conditions: the client may try again.
            SessionError::Full
            | SessionError::Open(OpenError::Insert(
                InsertError::Full { .. } | InsertError::GroupFull { .. } | InsertError::Start(_),
            )) => Self::unavailable(detail).with_header("retry-after", "1"),
            SessionError::Random
            | SessionError::Closed
            | SessionError::TimedOut
            | SessionError::Open(
                OpenError::Insert(InsertError::Draining | InsertError::ShutDown)
                | OpenError::RuntimeGone
                | OpenError::Build(_)
                | OpenError::Closed(_),
            ) => Self::unavailable(detail),
            // Permanent conditions: the client cannot change them, and trying again does not help.
            SessionError::Open(
                OpenError::Insert(InsertError::Duplicate(_))
                | OpenError::NoCryptoProvider
                | OpenError::NotInstrumented,
            ) => Self::internal(detail),
        }
    }
}

/// Opens a session that answers the offer.
#[utoipa::path(post, path = "/whip/{stream}", tag = "sessions",
    params(("stream" = String, Path, description = "The name of the stream, which is a group: 1 to 256 bytes, no control characters")),
    request_body(content = String, content_type = "application/sdp"),
    responses(
        (status = 201, description = "The answer; `Location` is the session's URL", content_type = "application/sdp", body = String),
        (status = 400, response = ProblemJson),
        (status = 404, response = ProblemJson),
        (status = 408, response = ProblemJson),
        (status = 413, response = ProblemJson),
        (status = 415, response = ProblemJson),
        (status = 422, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 503, response = ProblemJson),
    ))]
async fn post(
    Controller(shared): Controller<Shared>,
    Mount(mount): Mount,
    Id(stream): Id,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let sessions = sessions(&shared)?;
    if GroupId::new(&stream).is_err() || stream.contains(char::is_control) {
        return Err(Problem::bad_request(format!(
            "A stream's name must have 1 to {MAX_ID_BYTES} bytes and no control characters"
        )));
    }
    let sdp = text(&headers, OFFER, body, sessions.max_bytes()).await?;
    let Opened { secret, etag, answer } = sessions.open(&stream, sdp).await?;
    let location = format!("{mount}/whip/{}/{secret}", utf8_percent_encode(&stream, UNRESERVED));
    let headers = [
        (header::LOCATION, location),
        (header::CONTENT_TYPE, OFFER.to_owned()),
        (header::ETAG, etag),
        (HeaderName::from_static("accept-patch"), FRAGMENT.to_owned()),
    ];
    Ok(Guarded((StatusCode::CREATED, headers, answer)).into_response())
}

/// Lists the accepted media types. There is no CORS.
#[utoipa::path(options, path = "/whip/{stream}", tag = "sessions",
    params(("stream" = String, Path, description = "The name of the stream")),
    responses((status = 204, description = "`Accept-Post` lists the accepted media types")))]
async fn options(_: Controller<Shared>, Id(_): Id) -> Response {
    let accept = (HeaderName::from_static("accept-post"), OFFER);
    let headers = [accept, (header::ALLOW, "POST, OPTIONS")];
    Guarded((StatusCode::NO_CONTENT, headers)).into_response()
}

/// Adds candidates to a session.
#[utoipa::path(patch, path = "/whip/{stream}/{session}", tag = "sessions",
    params(
        ("stream" = String, Path, description = "The name of the stream"),
        ("session" = String, Path, description = "The secret of the session, from its `Location`"),
        ("if-match" = Option<String>, Header, description = "The `ETag` of the session; a request without it gets status 428"),
    ),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag"),
    responses(
        (status = 204, description = "The candidates were added"),
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
    Controller(shared): Controller<Shared>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let Path((stream, secret)) = path?;
    let sessions = sessions(&shared)?;
    session(sessions, &stream, &secret)?;
    let text = text(&headers, FRAGMENT, body, sessions.max_bytes()).await?;
    // The session may have ended while the fragment arrived.
    let session = session(sessions, &stream, &secret)?;
    let fragment = trickle::parse(&text)
        .map_err(|reason| Problem::bad_request(format!("The fragment is not valid: {reason}")))?;
    if fragment.user.is_some_and(|user| user != session.ice.fragment) {
        return Err(Problem::unprocessable("ICE restarts are not supported"));
    }
    match headers.get(header::IF_MATCH) {
        None => {
            return Err(Problem::precondition_required("Send the session's `ETag` in `If-Match`"));
        }
        Some(etags) if !matches(etags, &session.ice.etag) => {
            return Err(Problem::precondition("`If-Match` does not contain the session's `ETag`"));
        }
        Some(_) => {}
    }
    if !session.ice.admits(fragment.candidates.len()) {
        return Err(Problem::bad_request("The session has received too many candidates"));
    }
    for (mid, candidate) in fragment.candidates {
        session.add_candidate(mid, candidate, fragment.user).await.map_err(
            |error| match error {
                OperationError::Closed => no_session(),
                error => Problem::unprocessable(format!(
                    "A candidate cannot be added: {}",
                    refusal(&error)
                )),
            },
        )?;
    }
    Ok(Guarded(StatusCode::NO_CONTENT).into_response())
}

/// Ends a session.
#[utoipa::path(delete, path = "/whip/{stream}/{session}", tag = "sessions",
    params(
        ("stream" = String, Path, description = "The name of the stream"),
        ("session" = String, Path, description = "The secret of the session, from its `Location`"),
    ),
    responses(
        (status = 200, description = "The session is closed"),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
async fn delete(
    Controller(shared): Controller<Shared>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Answer {
    let Path((stream, secret)) = path?;
    let sessions = sessions(&shared)?;
    let session = session(sessions, &stream, &secret)?;
    let closing = session.peer.close();
    let operation = closing.operation();
    control::ended(&closing.await, operation)?;
    Ok(Guarded(StatusCode::OK).into_response())
}

/// Whether `If-Match` contains the entity tag, or `*` (RFC 9110, section 13.1.1).
fn matches(etags: &HeaderValue, own: &str) -> bool {
    let mut etags = etags.to_str().unwrap_or_default().split(',').map(str::trim);
    etags.any(|etag| etag == own || etag == "*")
}

/// The characters that need no encoding in a path segment (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
