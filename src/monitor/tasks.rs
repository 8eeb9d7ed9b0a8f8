//! Tasks: how many, by name and end, and which of them are stuck or orphaned.

use std::time::Duration;

use super::numbers::{Names, TaskCounts, TaskEndCounts, TaskMetrics};
use super::options::{Limits, options};
use super::report::StuckReason;
use crate::sync::Mutex;
use crate::task::{TaskEnd, TaskInfo, WeakTaskGroup};

#[derive(Debug, Default)]
struct Named {
    started: u64,
    ends: TaskEndCounts,
    /// When they were last looked for.
    stuck: u64,
    orphaned: u64,
}

options! {
    /// When a task counts as stuck.
    StuckOptions {
        /// How long one poll may take; 5 s by default.
        polling: Duration = Duration::from_secs(5),
        /// How long a task may take to stop once it was asked to; 30 s by default.
        stopping: Duration = Duration::from_secs(30),
        /// How long a task may go without being polled. `None`, the default, lets tasks wait as
        /// long as they like.
        idle: Option<Duration> = None,
    }
}

impl StuckOptions {
    /// Why the task counts as stuck, if it does. Polls are known only for groups that are timed.
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

pub(super) struct Tasks {
    inner: Mutex<TaskTable>,
}

struct TaskTable {
    all: TaskCounts,
    names: Names<Named>,
    /// With the number of the connection that they belong to, if they belong to one.
    groups: Vec<(Option<u64>, WeakTaskGroup)>,
    /// When they were last looked for.
    stuck: u64,
    orphaned: u64,
    /// At how many groups those that are gone are looked for.
    look_at: usize,
}

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

    /// For each name: how many have not ended, and how the others did.
    pub(super) fn names(&self) -> Vec<TaskMetrics> {
        let inner = self.inner.lock();
        let metrics = |(name, named): (&'static str, &Named)| {
            let Named { started, ends, stuck, orphaned } = *named;
            let pending = started.saturating_sub(ends.total());
            TaskMetrics { name, pending, stuck, orphaned, ends }
        };
        inner.names.iter().map(metrics).collect()
    }

    /// Looks for tasks that are stuck, and for those whose connections are not live any more.
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

    /// How many there were; and how many are stuck, and orphaned, when they were last looked for.
    pub(super) fn summary(&self) -> (TaskCounts, u64, u64) {
        let inner = self.inner.lock();
        (inner.all, inner.stuck, inner.orphaned)
    }

    /// Those that have not ended, in no particular order, with the connections that they belong to.
    pub(super) fn all(&self) -> Vec<(Option<u64>, TaskInfo)> {
        let groups = self.inner.lock().groups.clone();
        let tasks = |(connection, group): &(Option<u64>, WeakTaskGroup)| {
            let connection = *connection;
            group.tasks().into_iter().map(move |task| (connection, task))
        };
        groups.iter().flat_map(tasks).collect()
    }

    /// Those of one connection.
    pub(super) fn of(&self, connection: u64) -> Vec<TaskInfo> {
        let inner = self.inner.lock();
        let own = inner.groups.iter().filter(|(owner, _)| *owner == Some(connection));
        let own: Vec<_> = own.map(|(_, group)| group.clone()).collect();
        drop(inner);
        own.iter().flat_map(WeakTaskGroup::tasks).collect()
    }
}
