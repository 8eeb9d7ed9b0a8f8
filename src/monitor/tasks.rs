//! The numbers of tasks, by name and end, and which tasks are stuck or orphaned.

use std::time::Duration;

use super::numbers::{Names, TaskCounts, TaskEndCounts, TaskMetrics};
use super::options::{Limits, options};
use super::report::StuckReason;
use crate::sync::Mutex;
use crate::task::{TaskEnd, TaskInfo, WeakTaskGroup};

/// The numbers of tasks of one name.
#[derive(Debug, Default)]
struct Named {
    started: u64,
    ends: TaskEndCounts,
    /// The number of stuck tasks when they were last looked for.
    stuck: u64,
    /// The number of orphaned tasks when they were last looked for.
    orphaned: u64,
}

options! {
    /// Options of when a task counts as stuck; see
    /// [`MonitorBuilder::stuck`](super::MonitorBuilder::stuck).
    StuckOptions {
        /// Sets how long one poll of a task may take; 5 s by default. It applies to tasks whose
        /// polls are timed.
        polling: Duration = Duration::from_secs(5),
        /// Sets how long a task may take to stop after it was asked to; 30 s by default.
        stopping: Duration = Duration::from_secs(30),
        /// Sets how long a task may go without being polled; `None`, the default, for no limit. It
        /// applies to tasks whose polls are timed.
        idle: Option<Duration> = None,
    }
}

impl StuckOptions {
    /// Returns why the task counts as stuck, if it does. Polls are only known in timed groups.
    pub(super) fn reason(&self, task: &TaskInfo) -> Option<StuckReason> {
        let current = task.polls.and_then(|polls| polls.current);
        if current.is_some_and(|time| time >= self.polling) {
            return Some(StuckReason::Polling);
        }
        if task.stopping_for.is_some_and(|time| time >= self.stopping) {
            return Some(StuckReason::Stopping);
        }
        let idle = task.polls.map(|polls| polls.idle).zip(self.idle);
        idle.is_some_and(|(time, limit)| time >= limit).then_some(StuckReason::Idle)
    }
}

/// The tasks that a monitor knows.
pub(super) struct Tasks {
    inner: Mutex<TaskTable>,
}

struct TaskTable {
    all: TaskCounts,
    names: Names<Named>,
    /// The groups of tasks, each with the number of the connection that it belongs to, if any.
    groups: Vec<(Option<u64>, WeakTaskGroup)>,
    /// The number of stuck tasks when they were last looked for.
    stuck: u64,
    /// The number of orphaned tasks when they were last looked for.
    orphaned: u64,
    /// The number of groups at which groups that are gone are removed.
    look_at: usize,
}

/// The first number of groups at which groups that are gone are removed.
const FIRST_LOOK: usize = 64;

impl Tasks {
    pub(super) fn new(limits: Limits) -> Self {
        let inner = TaskTable {
            all: TaskCounts::default(),
            names: Names::new(limits.names),
            groups: Vec::new(),
            stuck: 0,
            orphaned: 0,
            look_at: FIRST_LOOK,
        };
        Self { inner: Mutex::new(inner) }
    }

    pub(super) fn add_group(&self, connection: Option<u64>, group: WeakTaskGroup) {
        let mut inner = self.inner.lock();
        if inner.groups.len() >= inner.look_at {
            inner.groups.retain(|(_, group)| !group.is_gone());
            inner.look_at = FIRST_LOOK.max(2 * inner.groups.len());
        }
        inner.groups.push((connection, group));
    }

    pub(super) fn started(&self, task: &TaskInfo) {
        let mut inner = self.inner.lock();
        inner.all.started += 1;
        let place = inner.names.place(task.name);
        if let Some(named) = inner.names.at(place) {
            named.started += 1;
        }
    }

    pub(super) fn ended(&self, task: &TaskInfo, end: &TaskEnd) {
        let mut inner = self.inner.lock();
        inner.all.ended += 1;
        let place = inner.names.place(task.name);
        if let Some(Named { ends, .. }) = inner.names.at(place) {
            ends.add(end);
        }
    }

    pub(super) fn counts(&self) -> TaskCounts {
        self.inner.lock().all
    }

    /// The numbers of tasks, by name.
    pub(super) fn names(&self) -> Vec<TaskMetrics> {
        let inner = self.inner.lock();
        let metrics = |(name, named): (&'static str, &Named)| {
            let Named { started, ends, stuck, orphaned } = *named;
            let pending = started.saturating_sub(ends.total());
            TaskMetrics { name, pending, stuck, orphaned, ends }
        };
        inner.names.iter().map(metrics).collect()
    }

    /// Counts the tasks that are stuck, and those whose connection is no longer live.
    pub(super) fn look(&self, stuck: StuckOptions, is_live: impl Fn(u64) -> bool) {
        let all = if self.counts().pending() == 0 { Vec::new() } else { self.all() };
        let seen: Vec<_> = all
            .iter()
            .map(|(connection, task)| {
                let orphan = connection.is_some_and(|number| !is_live(number));
                (task.name, stuck.reason(task).is_some(), orphan)
            })
            .collect();
        let mut inner = self.inner.lock();
        inner.names.iter_mut().for_each(|named| (named.stuck, named.orphaned) = (0, 0));
        (inner.stuck, inner.orphaned) = (0, 0);
        for (name, stuck, orphan) in seen {
            let (stuck, orphan) = (u64::from(stuck), u64::from(orphan));
            inner.stuck += stuck;
            inner.orphaned += orphan;
            let place = inner.names.place(name);
            if let Some(named) = inner.names.at(place) {
                named.stuck += stuck;
                named.orphaned += orphan;
            }
        }
    }

    /// The numbers of tasks, and how many were stuck and orphaned when they were last looked for.
    pub(super) fn summary(&self) -> (TaskCounts, u64, u64) {
        let inner = self.inner.lock();
        (inner.all, inner.stuck, inner.orphaned)
    }

    /// The recorded tasks that have not ended, in no particular order, each with the number of the
    /// connection that it belongs to.
    pub(super) fn all(&self) -> Vec<(Option<u64>, TaskInfo)> {
        let groups = self.inner.lock().groups.clone();
        let tasks = |(connection, group): &(Option<u64>, WeakTaskGroup)| {
            let connection = *connection;
            group.tasks().into_iter().map(move |task| (connection, task))
        };
        groups.iter().flat_map(tasks).collect()
    }

    /// The recorded tasks of one connection that have not ended.
    pub(super) fn of(&self, connection: u64) -> Vec<TaskInfo> {
        let inner = self.inner.lock();
        let own = inner.groups.iter().filter(|(owner, _)| *owner == Some(connection));
        let own: Vec<_> = own.map(|(_, group)| group.clone()).collect();
        drop(inner);
        own.iter().flat_map(WeakTaskGroup::tasks).collect()
    }
}
