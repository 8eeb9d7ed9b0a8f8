//! Tasks.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use utoipa::ToSchema;

use crate::monitor::{StuckReason, TaskReport};
use crate::wire::json::unix;

/// `GET /webrtc/monitor/tasks`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TasksJson {
    /// The names of tasks, keyed by connection id; `""` for tasks that belong to no connection.
    tasks: BTreeMap<String, Vec<&'static str>>,
    /// The number of keys in `tasks`.
    count: usize,
    /// The tasks, in the order in which they were started.
    task_details: Vec<TaskJson>,
    /// Cursor for the next page; null on the last one.
    next: Option<String>,
    timestamp: f64,
}

/// A task. Durations are in seconds. Poll times are null if they are not measured.
#[derive(Serialize, ToSchema)]
struct TaskJson {
    task_id: String,
    name: &'static str,
    /// The id of the connection that the task belongs to; null if it belongs to none.
    connection_id: Option<String>,
    /// The place in the source where the task was started.
    location: String,
    /// The time since the task was started.
    age: f64,
    /// The time since the task was asked to stop; null if it was not asked.
    stopping_for: Option<f64>,
    /// The number of polls.
    polls: Option<u64>,
    /// The total time of all polls.
    busy: Option<f64>,
    /// The time of the longest poll.
    longest_poll: Option<f64>,
    /// The time since the last poll began or ended.
    idle: Option<f64>,
    /// Whether the task has outlived its connection.
    orphaned: bool,
    /// Why the task counts as stuck: `polling`, `stopping` or `idle`; null if it is not stuck.
    trouble: Option<&'static str>,
}

impl TasksJson {
    pub(crate) fn new(reports: &[TaskReport], next: Option<u64>, at: SystemTime) -> Self {
        let mut tasks: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for TaskReport { task, .. } in reports {
            let owner = task.peer.as_ref().map_or(String::new(), ToString::to_string);
            tasks.entry(owner).or_default().push(task.name);
        }
        Self {
            count: tasks.len(),
            tasks,
            task_details: reports.iter().map(TaskJson::new).collect(),
            next: next.map(|next| next.to_string()),
            timestamp: unix(at),
        }
    }
}

impl TaskJson {
    fn new(report: &TaskReport) -> Self {
        let seconds = |time: Duration| time.as_secs_f64();
        let TaskReport { task, location, orphaned, stuck } = report;
        Self {
            task_id: task.id.to_string(),
            name: task.name,
            connection_id: task.peer.as_ref().map(ToString::to_string),
            location: location.to_string(),
            age: seconds(task.age),
            stopping_for: task.stopping_for.map(seconds),
            polls: task.polls.map(|it| it.polls),
            busy: task.polls.map(|it| seconds(it.busy)),
            longest_poll: task.polls.map(|it| seconds(it.longest)),
            idle: task.polls.map(|it| seconds(it.idle)),
            orphaned: *orphaned,
            trouble: stuck.map(StuckReason::as_str),
        }
    }
}
