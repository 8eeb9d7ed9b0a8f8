//! The routes of connections that have ended: pages, and one connection by number.

use super::connections::{details, diagnosis, list, stats};
use crate::http::edge::guard::Reader;
use crate::http::edge::problem::{Answer, Problem};
use crate::http::edge::query::{self, Params};
use crate::http::edge::request::Id;
use crate::http::edge::response::json_text;
use crate::http::shared::Shared;
use crate::monitor::{ConnectionFilter, ConnectionInfo};
use crate::wire::http::{
    ClosedJson, ClosedQuery, ConnectionDiagnosisJson, ConnectionStatsJson, ListWriter,
    OneConnectionJson, ProblemJson,
};

/// The connections that have ended and are still kept, paginated, the last one first.
///
/// An id that was used more than once is listed more than once, each time with another `number`.
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
    filter.id = query::id(query.id)?;
    filter.group = query::group(query.group)?;
    let body = shared.long.turn().await?.make(move || {
        let page = shared.monitor.find_closed(after, limit, &filter);
        let total = shared.monitor.summary().states.closed;
        list(&shared.monitor, ListWriter::new(false), &page, query.view, total)
    });
    Ok(json_text(body.await))
}

/// Everything that is known of one connection that has ended, even if its id was used again.
#[utoipa::path(get, path = "/webrtc/monitor/closed/{number}", tag = "monitor",
    params(("number" = u64, Path, description = "The connection's number")),
    responses(
        (status = 200, description = "The connection", body = OneConnectionJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn closed_connection(Reader(shared): Reader<Shared>, Id(number): Id) -> Answer {
    Ok(details(&shared, &find(&shared, &number)?))
}

/// The statistics of one connection that has ended: the last ones, in the format of W3C
/// webrtc-stats, and samples over time.
#[utoipa::path(get, path = "/webrtc/monitor/closed/{number}/stats", tag = "monitor",
    params(("number" = u64, Path, description = "The connection's number")),
    responses(
        (status = 200, description = "The connection's statistics", body = ConnectionStatsJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn closed_connection_stats(
    Reader(shared): Reader<Shared>,
    Id(number): Id,
) -> Answer {
    Ok(stats(&shared, &find(&shared, &number)?))
}

/// The diagnosis of one connection that has ended: why it failed or never connected.
#[utoipa::path(get, path = "/webrtc/monitor/closed/{number}/diagnosis", tag = "monitor",
    params(("number" = u64, Path, description = "The connection's number")),
    responses(
        (status = 200, description = "The diagnosis; null if nothing was wrong", body = ConnectionDiagnosisJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn closed_connection_diagnosis(
    Reader(shared): Reader<Shared>,
    Id(number): Id,
) -> Answer {
    Ok(diagnosis(&shared, &find(&shared, &number)?))
}

/// Finds the connection with this number, if it has ended and is still kept.
fn find(shared: &Shared, number: &str) -> Result<ConnectionInfo, Problem> {
    let number = query::number(number, 10).ok_or_else(Problem::no_connection)?;
    let mut filter = ConnectionFilter::new();
    filter.number = Some(number);
    let found = shared.monitor.find_closed(None, 1, &filter).items.pop();
    found.map(|connection| connection.info()).ok_or_else(Problem::no_connection)
}
