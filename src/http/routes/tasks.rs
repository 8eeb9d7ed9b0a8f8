//! The route of tasks.

use crate::http::edge::guard::Reader;
use crate::http::edge::problem::Answer;
use crate::http::edge::query::{self, Params};
use crate::http::edge::response::json_text;
use crate::http::shared::Shared;
use crate::wire::http::{ProblemJson, TasksJson, TasksQuery, bytes};

/// The recorded tasks that have not ended, paginated, in the order in which they were started.
#[utoipa::path(get, path = "/webrtc/monitor/tasks", tag = "monitor", params(TasksQuery), responses(
    (status = 200, description = "A page of tasks", body = TasksJson),
    (status = 400, response = ProblemJson),
    (status = 503, response = ProblemJson),
))]
pub(crate) async fn tasks(
    Reader(shared): Reader<Shared>,
    Params(query): Params<TasksQuery>,
) -> Answer {
    let limit = query::limit(query.limit)?;
    let after = query::after(query.after.as_deref())?;
    let body = shared.long.turn().await?.make(move || {
        let mut tasks = shared.monitor.tasks();
        tasks.retain(|it| after.is_none_or(|after| it.task.id.number() > after));
        tasks.sort_unstable_by_key(|it| it.task.id);
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        let next = tasks.last().filter(|_| more).map(|last| last.task.id.number());
        bytes(&TasksJson::new(&tasks, next, shared.monitor.now()))
    });
    Ok(json_text(body.await))
}
