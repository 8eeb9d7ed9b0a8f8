//! The routes of operations: those in progress, and the last ones that have ended.

use crate::http::edge::guard::Reader;
use crate::http::edge::problem::{Answer, Problem};
use crate::http::edge::query::{self, Params};
use crate::http::edge::request::Id;
use crate::http::edge::response::json;
use crate::http::shared::Shared;
use crate::id::OperationId;
use crate::monitor::OperationOutcome;
use crate::wire::http::{
    OneOperationJson, OperationStateParam, OperationsJson, OperationsQuery, ProblemJson,
};
use crate::wire::json::{OperationJson, unix};

/// Operations, paginated: those in progress, unless another `state` is requested.
#[utoipa::path(get, path = "/webrtc/monitor/operations", tag = "monitor", params(OperationsQuery), responses(
    (status = 200, description = "A page of operations", body = OperationsJson<'static>),
    (status = 400, response = ProblemJson),
))]
pub(crate) async fn operations(
    Reader(shared): Reader<Shared>,
    Params(query): Params<OperationsQuery>,
) -> Answer {
    let (limit, monitor) = (query::limit(query.limit)?, &shared.monitor);
    let state = query.state.unwrap_or(OperationStateParam::Started);
    let after = query::place(query.after.as_deref())?;
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
            OperationStateParam::Cancelled => matches!(outcome, OperationOutcome::Cancelled),
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

/// One operation, in progress or ended.
#[utoipa::path(get, path = "/webrtc/monitor/operations/{id}", tag = "monitor",
    params(("id" = String, Path, description = "The operation's id: 16 hexadecimal digits")),
    responses(
        (status = 200, description = "The operation", body = OneOperationJson<'static>),
        (status = 404, response = ProblemJson),
    ))]
pub(crate) async fn operation(Reader(shared): Reader<Shared>, Id(id): Id) -> Answer {
    let unknown = || Problem::not_found("Operation not found");
    let id: OperationId = id.parse().map_err(|_| unknown())?;
    let info = shared.monitor.operation(id).ok_or_else(unknown)?;
    let timestamp = unix(shared.monitor.now());
    Ok(json(&OneOperationJson { operation: OperationJson::new(&info), timestamp }))
}
