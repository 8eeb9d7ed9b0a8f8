//! The registry of a set: which peers there are, how many there may be, and which it owns itself.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use super::insert_error::InsertError;
use super::retained::{Remains, Retained};
use crate::event::Watch;
use crate::id::{GroupId, PeerId};
use crate::outcome::CloseReason;
use crate::peer::close::handles::Closing;
use crate::peer::close::run::{self, Request};
use crate::peer::close::sweep::Sweep;
use crate::peer::owner::{Keeper, Owner};
use crate::peer::record::{Record, RecordOptions, Set};
use crate::peer::status::Status;
use crate::runtime::{JoinHandle, Runtime};
use crate::sync::atomic::Ordering;
use crate::sync::{Event, Mutex, OnceLock, wake_all};
use crate::task::{StuckTasks, TaskGroup};

/// How many peers that have ended, and of which nobody holds anything, are remembered by their ids.
const REMEMBERED: usize = 1024;

pub(super) struct Registry {
    pub(super) runtime: Option<Runtime>,
    pub(super) options: RecordOptions,
    limits: Limits,
    pub(super) watch: Watch,
    /// The number of the set in this process.
    #[cfg(feature = "test-util")]
    pub(super) number: u64,
    /// The set's own tasks, once it has had any.
    pub(super) tasks: OnceLock<TaskGroup>,
    /// Notified when the last open peer goes.
    pub(super) idle: Event,
    inner: Mutex<Entries>,
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
struct Entries {
    peers: HashMap<PeerId, Entry>,
    /// The peers that ended last and are not in `peers` any more, the oldest first.
    ended: VecDeque<Ended>,
    remains: Remains,
    intake: Intake,
    /// How many have not ended, in all and in each group that has any.
    open: usize,
    groups: HashMap<GroupId, usize>,
}

/// A peer that has ended, as it is remembered.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) id: PeerId,
    /// Whether its end was seen.
    pub(super) seen: bool,
}

enum Entry {
    /// A connection is being made for it.
    Reserved { last: Option<Last> },
    Peer {
        record: Weak<Record>,
        owner: Weak<Owner>,
        /// Set once the peer was detached: then the set owns it.
        kept: Option<Arc<Owner>>,
    },
}

/// The peer that had an id before, and has ended: known again if the reservation is cancelled.
enum Last {
    Held(Weak<Record>, Weak<Owner>),
    Ended(Ended),
}

/// Whom an id leads to.
pub(super) enum Found {
    Peer(Arc<Record>),
    /// The peer has ended, and is remembered by its id.
    Ended(Ended),
    Nothing,
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
            #[cfg(feature = "test-util")]
            number: crate::known::next_set(),
            tasks: OnceLock::new(),
            idle: Event::new(),
            inner: Mutex::default(),
        })
    }

    /// Takes the place of a peer to be, if one of that status may come in.
    pub(super) fn reserve(&self, status: &Status) -> Result<(), InsertError> {
        // Declared first, and so dropped without the lock.
        let known;
        let mut entries = self.inner.lock();
        known = entries.peers.get(&status.id).and_then(Entry::record);
        entries.admits(status, known.as_deref(), self.limits)?;
        entries.open += 1;
        if let Some(group) = &status.group {
            *entries.groups.entry(group.clone()).or_default() += 1;
        }
        let replaced = entries.peers.remove(&status.id);
        let last = match &replaced {
            Some(Entry::Peer { record, owner, .. }) => {
                Some(Last::Held(Weak::clone(record), Weak::clone(owner)))
            }
            _ => entries.take_ended(&status.id).map(Last::Ended),
        };
        entries.peers.insert(status.id.clone(), Entry::Reserved { last });
        let peers = entries.peers.len();
        entries.remains.reserve(peers);
        let have_grown = entries.remains.have_grown();
        drop(entries);
        drop(replaced);
        if have_grown {
            self.retained();
        }
        Ok(())
    }

    /// Fills a place that was reserved with the peer that `make` makes.
    pub(super) fn insert(
        &self,
        make: impl FnOnce() -> Arc<Owner>,
    ) -> Result<Arc<Owner>, InsertError> {
        let mut entries = self.inner.lock();
        if entries.intake == Intake::ShutDown {
            return Err(InsertError::ShutDown);
        }
        let owner = make();
        let record = &owner.record;
        let entry = Entry::Peer {
            record: Arc::downgrade(record),
            owner: Arc::downgrade(&owner),
            kept: None,
        };
        entries.peers.insert(record.status.id.clone(), entry);
        drop(entries);
        Ok(owner)
    }

    /// Gives back a place that was reserved and never filled.
    pub(super) fn cancel(&self, status: &Status) {
        let mut entries = self.inner.lock();
        if let Some(Entry::Reserved { last }) = entries.peers.remove(&status.id) {
            match last {
                Some(Last::Held(record, owner)) => {
                    let entry = Entry::Peer { record, owner, kept: None };
                    entries.peers.insert(status.id.clone(), entry);
                }
                Some(Last::Ended(ended)) => entries.remember(ended),
                None => {}
            }
        }
        let idle = entries.uncount(status.group.as_ref());
        drop(entries);
        if idle {
            wake_all(&self.idle);
        }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.inner.lock().intake == Intake::ShutDown
    }

    /// How many peers have not ended.
    pub(super) fn open(&self) -> usize {
        self.inner.lock().open
    }

    pub(super) fn find(&self, id: &str) -> Found {
        let entries = self.inner.lock();
        match entries.peers.get_key_value(id) {
            Some((_, Entry::Reserved { .. })) => return Found::Nothing,
            Some((id, Entry::Peer { record, .. })) => {
                // One that cannot be upgraded is just being dropped.
                let ended = || Found::Ended(Ended { id: id.clone(), seen: true });
                return record.upgrade().map_or_else(ended, Found::Peer);
            }
            None => {}
        }
        let ended = entries.ended.iter().find(|ended| ended.id.as_str() == id);
        ended.map_or(Found::Nothing, |ended| Found::Ended(ended.clone()))
    }

    /// An owner of the peer of that id, if anybody owns it.
    pub(super) fn owner(&self, id: &str) -> Option<Arc<Owner>> {
        match self.inner.lock().peers.get(id)? {
            Entry::Peer { owner, .. } => owner.upgrade(),
            Entry::Reserved { .. } => None,
        }
    }

    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        self.inner.lock().peers.values().filter_map(Entry::record).collect()
    }

    pub(super) fn owners(&self) -> Vec<Arc<Owner>> {
        let owner = |entry: &Entry| match entry {
            Entry::Peer { owner, .. } => owner.upgrade(),
            Entry::Reserved { .. } => None,
        };
        self.inner.lock().peers.values().filter_map(owner).collect()
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
            .map(|record| {
                let request = Request { sweep, ..reason.into() };
                (record.status.id.clone(), run::close_as(record, request))
            })
            .collect()
    }

    pub(super) fn take_no_more(&self, intake: Intake) {
        let mut entries = self.inner.lock();
        entries.intake = entries.intake.max(intake);
    }

    /// Ends the set's own tasks, within the bound of its closes.
    pub(super) fn stop_tasks(&self) -> Option<JoinHandle<StuckTasks>> {
        let tasks = self.tasks.get()?;
        Some(Runtime::spawn_background(tasks.shutdown(self.options.close)))
    }

    /// What is held of closed peers; what is not is forgotten.
    pub(super) fn retained(&self) -> Vec<Retained> {
        let remains = self.inner.lock().remains.to_vec();
        let (mut retained, mut free) = (Vec::new(), Vec::new());
        for remain in remains {
            match remain.retained() {
                Some(by) => retained.push(by),
                None => free.push(remain.number),
            }
        }
        let forgotten = self.inner.lock().remains.forget(&free);
        drop(forgotten);
        retained
    }
}

impl Set for Registry {
    fn uncount(&self, record: &Record) {
        if !record.counted.swap(false, Ordering::AcqRel) {
            return;
        }
        let idle = self.inner.lock().uncount(record.status.group.as_ref());
        if idle {
            wake_all(&self.idle);
        }
    }

    fn closed(&self, record: &Arc<Record>) {
        self.uncount(record);
        // Foreign code; one that panics keeps nothing of the peer from being let go of.
        let retention = catch_unwind(AssertUnwindSafe(|| record.connection.retention()));
        let retention = retention.ok().flatten();
        let mut entries = self.inner.lock();
        if let Some(retention) = retention {
            let _first = record.status.retention.set(Arc::clone(&retention));
            entries.remains.add(record.status.id.clone(), retention);
        }
        let kept = match entries.entry_of(record) {
            Some(Entry::Peer { kept, .. }) => kept.take(),
            _ => None,
        };
        drop(entries);
        drop(kept);
    }

    fn keeps(&self, record: &Record) -> bool {
        let mut entries = self.inner.lock();
        matches!(entries.entry_of(record), Some(Entry::Peer { kept: Some(_), .. }))
    }

    fn forget(&self, record: &Record) {
        self.uncount(record);
        self.inner.lock().forget(record);
    }
}

impl Keeper for Registry {
    fn keep(&self, owner: &Arc<Owner>) -> bool {
        let mut entries = self.inner.lock();
        let open = owner.record.is_open();
        if open && let Some(Entry::Peer { kept, .. }) = entries.entry_of(&owner.record) {
            let before = kept.replace(Arc::clone(owner));
            drop(entries);
            drop(before);
            return true;
        }
        false
    }
}

impl Entry {
    fn record(&self) -> Option<Arc<Record>> {
        match self {
            Self::Reserved { .. } => None,
            Self::Peer { record, .. } => record.upgrade(),
        }
    }
}

impl Entries {
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
        let is_reserved = matches!(self.peers.get(&status.id), Some(Entry::Reserved { .. }));
        if is_reserved || known.is_some_and(Record::is_open) {
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

    /// The entry of a record, unless its id is another's by now.
    fn entry_of(&mut self, record: &Record) -> Option<&mut Entry> {
        let entry = self.peers.get_mut(&record.status.id)?;
        match entry {
            Entry::Peer { record: known, .. } if std::ptr::eq(known.as_ptr(), record) => {
                Some(entry)
            }
            _ => None,
        }
    }

    /// One open peer less; says whether there is none any more.
    fn uncount(&mut self, group: Option<&GroupId>) -> bool {
        self.open -= 1;
        if let Some(group) = group
            && let Some(open) = self.groups.get_mut(group)
        {
            *open -= 1;
            if *open == 0 {
                self.groups.remove(group);
            }
        }
        self.open == 0
    }

    /// Forgets a record, unless its id is another's by now, and remembers the id if it has ended.
    fn forget(&mut self, record: &Record) {
        let id = &record.status.id;
        let ended = || {
            let seen = record.end.get()?.mode.is_some();
            Some(Ended { id: id.clone(), seen })
        };
        match self.peers.get_mut(id) {
            Some(Entry::Reserved { last: last @ Some(Last::Held(..)) }) => {
                if let Some(Last::Held(known, _)) = last
                    && std::ptr::eq(known.as_ptr(), record)
                {
                    *last = ended().map(Last::Ended);
                }
            }
            Some(Entry::Peer { record: known, .. }) if std::ptr::eq(known.as_ptr(), record) => {
                self.peers.remove(id);
                if let Some(ended) = ended() {
                    self.remember(ended);
                }
            }
            _ => {}
        }
    }

    fn remember(&mut self, ended: Ended) {
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }

    /// What is remembered of an id, and from now on is not.
    fn take_ended(&mut self, id: &PeerId) -> Option<Ended> {
        let place = self.ended.iter().position(|ended| ended.id == *id)?;
        self.ended.remove(place)
    }
}
