//! What the monitor knows.

use std::thread;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::api::Shared;
use super::ask::{Asked, Id, after, group, limit, place};
use super::guard::{self, Anybody, Guarded, Reader};
use super::problem::Problem;
use crate::dump;
use crate::id::OperationId;
use crate::metrics::{self, Format};
use crate::monitor::{
    ConnectionFilter, ConnectionInfo, ConnectionRef, Monitor, OperationOutcome, Page,
};
use crate::wire::http::{
    self, AliveJson, ClosedJson, ClosedQuery, ConnectionDiagnosisJson, ConnectionStatsJson,
    ConnectionsJson, ConnectionsQuery, DumpParam, DumpQuery, ListWriter, ListedJson,
    OneConnectionJson, OneOperationJson, OperationStateParam, OperationsJson, OperationsQuery,
    ProblemJson, RowJson, SummaryJson, TasksJson, TasksQuery, ViewParam,
};
use crate::wire::json::{ConnectionJson, OperationJson, unix};

pub(super) type Answer = Result<Response, Problem>;

/// A JSON body.
pub(super) fn json(value: &impl http::Shape) -> Response {
    written(http::bytes(value).into())
}

fn written(body: Body) -> Response {
    guard::answer(HeaderValue::from_static("application/json"), body)
}

/// Whether the server is well.
#[utoipa::path(get, path = "/health", tag = "monitor", security(()), responses(
    (status = 200, description = "It is well, or something is wrong and the rest works", body = AliveJson),
    (status = 503, description = "Connections do not come about, or do not go", body = AliveJson),
))]
pub(super) async fn health(Anybody(shared): Anybody) -> Response {
    let summary = shared.monitor.summary();
    let failing = matches!(summary.health, crate::monitor::Health::Failing(_));
    let mut response = json(&AliveJson::new(&summary));
    if failing {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// The whole in numbers, in constant time.
#[utoipa::path(get, path = "/webrtc/monitor/summary", tag = "monitor", responses(
    (status = 200, description = "The summary", body = SummaryJson),
))]
pub(super) async fn summary(Reader(shared): Reader) -> Response {
    written(shared.summary.bytes(&shared.monitor.summary(), shared.modes).into())
}

/// The live connections, by the page, in the order of their opening.
#[utoipa::path(get, path = "/webrtc/monitor/connections", tag = "monitor", params(ConnectionsQuery), responses(
    (status = 200, description = "A page of them", body = ConnectionsJson<'static>),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(super) async fn connections(
    Reader(shared): Reader,
    Asked(query): Asked<ConnectionsQuery>,
) -> Answer {
    let (limit, after) = (limit(query.limit)?, after(query.after.as_deref())?.unwrap_or(0));
    let mut filter = ConnectionFilter::new();
    filter.state = query.state.map(Into::into);
    filter.group = group(query.group)?;
    let turn = shared.long.turn().await?;
    let body = turn.make(move || {
        let page = shared.monitor.find(after, limit, &filter);
        let total = shared.monitor.summary().states.live();
        list(&shared.monitor, ListWriter::new(true), &page, query.view, total)
    });
    Ok(written(body.await))
}

/// The connections that have ended and are still known, by the page, the last one first.
#[utoipa::path(get, path = "/webrtc/monitor/closed", tag = "monitor", params(ClosedQuery), responses(
    (status = 200, description = "A page of them", body = ClosedJson<'static>),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(super) async fn closed(Reader(shared): Reader, Asked(query): Asked<ClosedQuery>) -> Answer {
    let (limit, after) = (limit(query.limit)?, after(query.after.as_deref())?);
    let mut filter = ConnectionFilter::new();
    filter.group = group(query.group)?;
    let turn = shared.long.turn().await?;
    let body = turn.make(move || {
        let page = shared.monitor.find_closed(after, limit, &filter);
        let total = shared.monitor.summary().states.closed;
        list(&shared.monitor, ListWriter::new(false), &page, query.view, total)
    });
    Ok(written(body.await))
}

/// How many connections are read or written at once: some 100 us.
const AT_ONCE: usize = 8;

/// Does something with each, and gives way now and then: or else it has the core for the whole of its
/// time slice, and others wait for that.
fn giving_way(all: &[ConnectionRef], mut what: impl FnMut(&ConnectionRef)) {
    for some in all.chunks(AT_ONCE) {
        some.iter().for_each(&mut what);
        thread::yield_now();
    }
}

fn list(
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

/// All that is known of one connection: a live one, or else the last of that id that has ended.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The connection", body = OneConnectionJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(super) async fn connection(Reader(shared): Reader, Id(id): Id) -> Answer {
    let info = one(&shared, &id)?;
    let timestamp = unix(shared.monitor.now());
    Ok(json(&OneConnectionJson { connection: ConnectionJson::new(&info), timestamp }))
}

/// The statistics of one connection: the last ones, in W3C's terms, and samples over time.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}/stats", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "Its statistics", body = ConnectionStatsJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(super) async fn connection_stats(Reader(shared): Reader, Id(id): Id) -> Answer {
    let info = one(&shared, &id)?;
    let stats = dump::last_stats(&info);
    Ok(json(&ConnectionStatsJson::new(&info, stats, shared.monitor.now())))
}

/// Why one connection failed, or does not connect.
#[utoipa::path(get, path = "/webrtc/monitor/connections/{id}/diagnosis", tag = "monitor",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The diagnosis, or null where nothing is wrong", body = ConnectionDiagnosisJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(super) async fn connection_diagnosis(Reader(shared): Reader, Id(id): Id) -> Answer {
    let info = one(&shared, &id)?;
    Ok(json(&ConnectionDiagnosisJson::new(&info, shared.monitor.now())))
}

fn one(shared: &Shared, id: &str) -> Result<ConnectionInfo, Problem> {
    shared.monitor.connection(id).ok_or_else(Problem::no_connection)
}

/// Operations: those under way, unless something else is asked for.
#[utoipa::path(get, path = "/webrtc/monitor/operations", tag = "monitor", params(OperationsQuery), responses(
    (status = 200, description = "A page of them", body = OperationsJson<'static>),
    (status = 400, response = ProblemJson),
))]
pub(super) async fn operations(
    Reader(shared): Reader,
    Asked(query): Asked<OperationsQuery>,
) -> Answer {
    let (limit, monitor) = (limit(query.limit)?, &shared.monitor);
    let state = query.state.unwrap_or(OperationStateParam::Started);
    let after = place(query.after.as_deref())?;
    let (infos, next) = if state == OperationStateParam::Started {
        let mut infos = monitor.operations(after.map(OperationId::from_bits), limit + 1);
        let more = infos.len() > limit;
        infos.truncate(limit);
        let next = infos.last().filter(|_| more).map(|last| last.id.to_string());
        (infos, next)
    } else {
        let takes = |outcome: &OperationOutcome| match state {
            OperationStateParam::Completed => matches!(outcome, OperationOutcome::Completed(_)),
            OperationStateParam::Failed => matches!(outcome, OperationOutcome::Failed(_)),
            OperationStateParam::Canceled => matches!(outcome, OperationOutcome::Cancelled),
            OperationStateParam::Started | OperationStateParam::Ended => true,
        };
        let page = monitor.finished_operations(after, limit, takes);
        (page.items, page.next.map(|next| format!("{next:x}")))
    };
    Ok(json(&OperationsJson {
        operations: infos.iter().map(|it| (it.id.to_string(), OperationJson::new(it))).collect(),
        count: infos.len(),
        next,
        timestamp: unix(monitor.now()),
    }))
}

/// One operation, under way or ended.
#[utoipa::path(get, path = "/webrtc/monitor/operations/{id}", tag = "monitor",
    params(("id" = String, Path, description = "The operation's id: 16 hexadecimal digits")),
    responses(
        (status = 200, description = "The operation", body = OneOperationJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(super) async fn operation(Reader(shared): Reader, Id(id): Id) -> Answer {
    let unknown = || Problem::not_found("Operation not found");
    let id: OperationId = id.parse().map_err(|_| unknown())?;
    let info = shared.monitor.operation(id).ok_or_else(unknown)?;
    let timestamp = unix(shared.monitor.now());
    Ok(json(&OneOperationJson { operation: OperationJson::new(&info), timestamp }))
}

/// The recorded tasks that have not ended, in the order of their start.
#[utoipa::path(get, path = "/webrtc/monitor/tasks", tag = "monitor", params(TasksQuery), responses(
    (status = 200, description = "A page of them", body = TasksJson),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(super) async fn tasks(Reader(shared): Reader, Asked(query): Asked<TasksQuery>) -> Answer {
    let (limit, after) = (limit(query.limit)?, after(query.after.as_deref())?);
    let body = shared.long.turn().await?.make(move || {
        let mut tasks = shared.monitor.tasks();
        tasks.retain(|it| after.is_none_or(|after| it.task.id.number() > after));
        tasks.sort_unstable_by_key(|it| it.task.id);
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        let next = tasks.last().filter(|_| more).map(|last| last.task.id.number());
        http::bytes(&TasksJson::new(&tasks, next, shared.monitor.now()))
    });
    Ok(written(body.await))
}

/// The most connections in one dump.
const DUMPED: usize = 256;

/// Connections as `chrome://webrtc-internals` or rtcstats know them: one, or the first 256 live ones
/// and the last that have ended.
#[utoipa::path(get, path = "/webrtc/monitor/dump", tag = "monitor", params(DumpQuery), responses(
    (status = 200, description = "The dump, as a file to be saved", content(
        (Object = "application/json"), (String = "text/plain"),
    )),
    (status = 400, response = ProblemJson),
    (status = 404, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(super) async fn dump(Reader(shared): Reader, Asked(query): Asked<DumpQuery>) -> Answer {
    let turn = shared.long.turn().await?;
    let one = query.connection.map(|id| one(&shared, &id)).transpose()?;
    let (kind, name, make): (_, _, fn(&[ConnectionInfo]) -> String) = match query.format {
        None | Some(DumpParam::Internals) => (
            "application/json",
            "attachment; filename=\"webrtc_internals_dump.json\"",
            dump::internals,
        ),
        Some(DumpParam::Rtcstats) => (
            "text/plain; charset=utf-8",
            "attachment; filename=\"rtcstats_dump.txt\"",
            dump::rtcstats,
        ),
    };
    let body = turn.make(move || match one {
        Some(info) => make(&[info]),
        None => {
            let all = ConnectionFilter::new();
            let mut found = shared.monitor.find(0, DUMPED, &all).items;
            found.extend(shared.monitor.find_closed(None, DUMPED, &all).items);
            let mut infos = Vec::with_capacity(found.len());
            giving_way(&found, |connection| infos.push(connection.info()));
            make(&infos)
        }
    });
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok(Guarded((headers, body.await)).into_response())
}

/// The numbers, for Prometheus and its like.
#[utoipa::path(get, path = "/metrics", tag = "monitor", responses(
    (status = 200, description = "In the format that was asked for", content(
        (String = "application/openmetrics-text"), (String = "text/plain"),
    )),
))]
pub(super) async fn metrics(Reader(shared): Reader, headers: HeaderMap) -> Response {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|it| it.to_str().ok());
    let format = if accepted.any(|it| it.contains("application/openmetrics-text")) {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    };
    let text = metrics::encode(&shared.monitor, format);
    Guarded(([(header::CONTENT_TYPE, format.content_type())], text)).into_response()
}
