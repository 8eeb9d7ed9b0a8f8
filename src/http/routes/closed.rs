//! Connections that have ended, by the page.

use super::connections::list;
use crate::http::edge::guard::Reader;
use crate::http::edge::problem::Answer;
use crate::http::edge::query::{self, Params};
use crate::http::edge::response::json_text;
use crate::http::shared::Shared;
use crate::monitor::ConnectionFilter;
use crate::wire::http::{ClosedJson, ClosedQuery, ListWriter, ProblemJson};

/// The connections that have ended and are still kept, paginated, the last one first.
///
/// An id that was used more than once is listed more than once: each of its connections has a `number`
/// of its own.
#[utoipa::path(get, path = "/webrtc/monitor/closed", tag = "monitor", params(ClosedQuery), responses(
    (status = 200, description = "A page of connections", body = ClosedJson<'static>),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(crate) async fn closed(
    Reader(shared): Reader<Shared>,
    Params(query): Params<ClosedQuery>,
) -> Answer {
    let limit = query::limit(query.limit)?;
    let after = query::after(query.after.as_deref())?;
    let mut filter = ConnectionFilter::new();
    filter.group = query::group(query.group)?;
    let body = shared.long.turn().await?.make(move || {
        let page = shared.monitor.find_closed(after, limit, &filter);
        let total = shared.monitor.summary().states.closed;
        list(&shared.monitor, ListWriter::new(false), &page, query.view, total)
    });
    Ok(json_text(body.await))
}
