//! Reads the bodies of requests.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures::StreamExt;

use crate::http::edge::problem::Problem;
use crate::runtime::Clock;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of a body over the limit are read, so that the client can read the response.
const READ_BYTES: usize = 4 << 20;

/// Reads a body of this media type as text, of at most `limit` bytes.
pub(super) async fn text(
    headers: &HeaderMap,
    media_type: &str,
    body: Body,
    limit: usize,
) -> Result<String, Problem> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(media_type) {
        return Err(Problem::media_type(format!(
            "The media type of the body must be {media_type}"
        )));
    }
    let deadline = Clock::system().after(TIMEOUT);
    let bytes = Clock::system().by(deadline, Box::pin(read(body, limit))).await;
    let bytes = bytes.ok_or_else(|| Problem::timeout("The body did not arrive in time"))??;
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("The body is not valid UTF-8"))
}

/// Reads a body. Of a body over the limit, up to [`READ_BYTES`] are read and discarded.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk: Bytes = chunk.map_err(|_| Problem::bad_request("The body is incomplete"))?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > READ_BYTES {
            break;
        }
    }
    if length > limit {
        return Err(Problem::too_large(format!("The body must have at most {limit} bytes")));
    }
    Ok(kept)
}
