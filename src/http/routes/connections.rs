//! The routes of connections: pages of live connections, and one connection by id.

use axum::response::Response;

use crate::dump::last_stats;
use crate::http::edge::guard::Reader;
use crate::http::edge::long::giving_way;
use crate::http::edge::problem::{Answer, Problem};
use crate::http::edge::query::{self, Params};
use crate::http::edge::request::Id;
use crate::http::edge::response::{json, json_text};
use crate::http::shared::Shared;
use crate::monitor::{ConnectionFilter, ConnectionInfo, ConnectionRef, Monitor, Page};
use crate::wire::http::{
    ConnectionDiagnosisJson, ConnectionStatsJson, ConnectionsJson, ConnectionsQuery, ListWriter,
    ListedJson, OneConnectionJson, ProblemJson, RowJson, ViewParam,
};
use crate::wire::json::{ConnectionJson, unix};

/// The live connections, paginated, in the order in which they were opened.
///
/// The parameter `id` finds any connection, including one with the id `.` or `..`, which a URL
/// cannot contain as a path segment (RFC 3986, section 5.2.4).
#[utoipa::path(get, path = "/webrtc/monitor/connections", tag = "monitor", params(ConnectionsQuery), responses(
    (status = 200, description = "A page of connections", body = ConnectionsJson<'static>),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(crate) async fn connections(
    Reader(shared): Reader<Shared>,
    Params(query): Params<ConnectionsQuery>,
) -> Answer {
    let limit = query::limit(query.limit)?;
    let after = query::after(query.after.as_deref())?.unwrap_or(0);
    let mut filter = ConnectionFilter::new();
    filter.id = query::id(query.id)?;
    filter.state = query.state.map(Into::into);
    filter.group = query::group(query.group)?;
    let body = shared.long.turn().await?.make(move || {
        let page = shared.monitor.find(after, limit, &filter);
        let total = shared.monitor.summary().states.live();
        list(&shared.monitor, ListWriter::new(true), &page, query.view, total)
    });
    Ok(json_text(body.await))
}

/// Writes a page of connections.
pub(crate) fn list(
    monitor: &Monitor,
    mut writer: ListWriter,
    page: &Page<ConnectionRef>,
    view: Option<ViewParam>,
    total: u64,
) -> Vec<u8> {
    giving_way(&page.items, |connection| {
        let id = connection.id().as_str();
        if view == Some(ViewParam::Row) {
            writer.add(id, &ListedJson::Row(Box::new(RowJson::new(&connection.row()))));
        } else {
            let info = connection.info();
            writer.add(id, &ListedJson::Full(Box::new(ConnectionJson::new(&info))));
        }
    });
    writer.finish(total, page.next, monitor.now())
}

/// Everything that is known of one connection: the live one with this id, or else the last one with
/// this id that has ended.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The connection", body = OneConnectionJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn connection(Reader(shared): Reader<Shared>, Id(id): Id) -> Answer {
    Ok(details(&shared, &find(&shared, &id)?))
}

/// The statistics of one connection: the last ones, in the format of W3C webrtc-stats, and samples
/// over time.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}/stats", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The connection's statistics", body = ConnectionStatsJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn connection_stats(Reader(shared): Reader<Shared>, Id(id): Id) -> Answer {
    Ok(stats(&shared, &find(&shared, &id)?))
}

/// The diagnosis of one connection: why it failed or does not connect.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}/diagnosis", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The diagnosis; null if nothing is wrong", body = ConnectionDiagnosisJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn connection_diagnosis(Reader(shared): Reader<Shared>, Id(id): Id) -> Answer {
    Ok(diagnosis(&shared, &find(&shared, &id)?))
}

/// Finds the live connection with this id, or else the last one with this id that has ended.
pub(crate) fn find(shared: &Shared, id: &str) -> Result<ConnectionInfo, Problem> {
    shared.monitor.connection(id).ok_or_else(Problem::no_connection)
}

/// A response with everything that is known of a connection.
pub(crate) fn details(shared: &Shared, info: &ConnectionInfo) -> Response {
    let timestamp = unix(shared.monitor.now());
    json(&OneConnectionJson { connection: ConnectionJson::new(info), timestamp })
}

/// A response with a connection's statistics.
pub(crate) fn stats(shared: &Shared, info: &ConnectionInfo) -> Response {
    json(&ConnectionStatsJson::new(info, last_stats(info), shared.monitor.now()))
}

/// A response with a connection's diagnosis.
pub(crate) fn diagnosis(shared: &Shared, info: &ConnectionInfo) -> Response {
    json(&ConnectionDiagnosisJson::new(info, shared.monitor.now()))
}
