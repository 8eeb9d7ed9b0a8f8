//! The registry.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::close::Closing;
use super::held::{Held, Remains};
use super::insert::InsertError;
use super::outcome::CloseReason;
use super::reaper;
use super::record::{Record, RecordOptions, Status};
use super::sweep::Sweep;
use crate::event::Watch;
use crate::id::{GroupId, PeerId};
use crate::runtime::{JoinHandle, Runtime};
use crate::sync::atomic::Ordering;
use crate::sync::{Event, Mutex, OnceLock, wake_all};
use crate::task::{StuckTasks, TaskGroup};

pub(crate) struct Registry {
    pub(super) runtime: Option<Runtime>,
    pub(super) options: RecordOptions,
    limits: Limits,
    pub(super) watch: Watch,
    /// The set's own tasks, once it has had any.
    pub(super) tasks: OnceLock<TaskGroup>,
    /// Told when the last open peer goes.
    pub(super) idle: Event,
    inner: Mutex<Inner>,
}

/// How many peers there may be.
#[derive(Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) all: Option<usize>,
    pub(super) per_group: Option<usize>,
}

/// Whether new peers are taken.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Intake {
    #[default]
    Open,
    Draining,
    ShutDown,
}

#[derive(Default)]
struct Inner {
    peers: HashMap<PeerId, Weak<Record>>,
    detached: HashMap<PeerId, Arc<Record>>,
    remains: Remains,
    intake: Intake,
    /// How many have not ended, in all and in each group that has any.
    open: usize,
    groups: HashMap<GroupId, usize>,
    /// Whether the reaper is at work.
    reaping: bool,
}

// Dropping the last reference to a record takes the registry's lock: nothing here may let go of a
// record while it holds that lock.
impl Registry {
    pub(super) fn new(
        runtime: Option<Runtime>,
        options: RecordOptions,
        limits: Limits,
        watch: Watch,
    ) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            options,
            limits,
            watch,
            tasks: OnceLock::new(),
            idle: Event::new(),
            inner: Mutex::default(),
        })
    }

    /// Takes in the peer that `make` makes, if one of that status may come in.
    pub(super) fn admit(
        self: &Arc<Self>,
        status: &Status,
        make: impl FnOnce() -> Arc<Record>,
    ) -> Result<Arc<Record>, InsertError> {
        // Declared first, and so dropped without the lock.
        let known;
        let mut inner = self.inner.lock();
        known = inner.peers.get(&status.id).and_then(Weak::upgrade);
        inner.admits(status, known.as_deref(), self.limits)?;
        let record = make();
        inner.open += 1;
        if let Some(group) = &status.group {
            *inner.groups.entry(group.clone()).or_default() += 1;
        }
        inner.peers.insert(status.id.clone(), Arc::downgrade(&record));
        let peers = inner.peers.len();
        inner.remains.reserve(peers);
        let have_grown = inner.remains.have_grown();
        let reap = record.reaping.is_on() && !inner.reaping;
        inner.reaping |= reap;
        drop(inner);
        if reap {
            reaper::start(Arc::downgrade(self));
        }
        if have_grown {
            self.held();
        }
        Ok(record)
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.inner.lock().intake == Intake::ShutDown
    }

    /// How many peers have not ended.
    pub(super) fn open(&self) -> usize {
        self.inner.lock().open
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Record>> {
        self.inner.lock().peers.get(id).and_then(Weak::upgrade)
    }

    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        self.inner.lock().peers.values().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn close_where(
        &self,
        reason: CloseReason,
        sweep: Option<&Arc<Sweep>>,
        chosen: impl Fn(&Record) -> bool,
    ) -> Vec<(PeerId, Closing)> {
        let sweep = sweep.filter(|_| self.watch.is_attached());
        self.records()
            .iter()
            .filter(|record| !record.is_closed() && chosen(record))
            .map(|record| (record.status.id.clone(), record.close_in(reason, sweep)))
            .collect()
    }

    pub(super) fn take_no_more(&self, intake: Intake) {
        let mut inner = self.inner.lock();
        inner.intake = inner.intake.max(intake);
    }

    /// Ends the set's own tasks, within the bound of its closes.
    pub(super) fn stop_tasks(&self) -> Option<JoinHandle<StuckTasks>> {
        let tasks = self.tasks.get()?;
        let (timeout, grace) = self.options.close.bounds();
        Some(Runtime::spawn_background(tasks.shutdown(grace, timeout)))
    }

    /// The open peers; or `None`, with which the reaper's work is over.
    pub(super) fn to_reap(&self) -> Option<Vec<Arc<Record>>> {
        let mut inner = self.inner.lock();
        inner.reaping = inner.open > 0;
        inner.reaping.then(|| inner.peers.values().filter_map(Weak::upgrade).collect())
    }

    /// Takes a record that has ended out of the numbers, once.
    pub(super) fn uncount(&self, record: &Record) {
        if !record.counted.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut inner = self.inner.lock();
        inner.open -= 1;
        if let Some(group) = &record.status.group
            && let Some(open) = inner.groups.get_mut(group)
        {
            *open -= 1;
            if *open == 0 {
                inner.groups.remove(group);
            }
        }
        let idle = inner.open == 0;
        drop(inner);
        if idle {
            wake_all(&self.idle);
        }
    }

    /// Takes ownership of an open record; false if it has ended already.
    pub(super) fn keep(&self, record: &Arc<Record>) -> bool {
        let mut inner = self.inner.lock();
        let open = record.is_open();
        if open {
            inner.detached.insert(record.status.id.clone(), Arc::clone(record));
        }
        open
    }

    /// Takes note that a record is closed: its id is free, what is held of it is watched.
    pub(super) fn closed(&self, record: &Arc<Record>) {
        self.uncount(record);
        let holders = record.connection.holders();
        let mut inner = self.inner.lock();
        if let Some(holders) = holders {
            let _first = record.status.holders.set(Arc::clone(&holders));
            inner.remains.add(record.status.id.clone(), holders);
        }
        let detached = match inner.detached.get(&record.status.id) {
            Some(kept) if Arc::ptr_eq(kept, record) => inner.detached.remove(&record.status.id),
            _ => None,
        };
        if detached.is_some() {
            // It has no owner: whoever asks for it now finds nothing.
            inner.forget(record);
        }
        drop(inner);
        drop(detached);
    }

    /// What is held of closed peers; what is not is forgotten.
    pub(super) fn held(&self) -> Vec<Held> {
        let remains = self.inner.lock().remains.to_vec();
        let (mut held, mut free) = (Vec::new(), Vec::new());
        for remain in remains {
            match remain.held() {
                Some(by) => held.push(by),
                None => free.push(remain.number),
            }
        }
        let forgotten = self.inner.lock().remains.forget(&free);
        drop(forgotten);
        held
    }

    pub(super) fn keeps(&self, record: &Record) -> bool {
        let inner = self.inner.lock();
        let kept = inner.detached.get(&record.status.id);
        kept.is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), record))
    }

    /// Called by the record's drop.
    pub(super) fn forget(&self, record: &Record) {
        self.uncount(record);
        self.inner.lock().forget(record);
    }
}

impl Inner {
    /// Whether a new peer may come in; `known` is the last one of that id.
    fn admits(
        &self,
        status: &Status,
        known: Option<&Record>,
        limits: Limits,
    ) -> Result<(), InsertError> {
        match self.intake {
            Intake::Open => {}
            Intake::Draining => return Err(InsertError::Draining),
            Intake::ShutDown => return Err(InsertError::ShutDown),
        }
        if known.is_some_and(Record::is_open) {
            return Err(InsertError::Duplicate(status.id.clone()));
        }
        if let Some(limit) = limits.all.filter(|limit| self.open >= *limit) {
            return Err(InsertError::Full { limit });
        }
        if let (Some(group), Some(limit)) = (&status.group, limits.per_group)
            && self.groups.get(group).is_some_and(|open| *open >= limit)
        {
            return Err(InsertError::GroupFull { group: group.clone(), limit });
        }
        Ok(())
    }

    /// Forgets a record, unless its id is another's by now.
    fn forget(&mut self, record: &Record) {
        let id = &record.status.id;
        if self.peers.get(id).is_some_and(|known| std::ptr::eq(known.as_ptr(), record)) {
            self.peers.remove(id);
        }
    }
}
