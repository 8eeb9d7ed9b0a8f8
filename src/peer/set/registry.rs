//! The registry of a set: its peers, their limits, and the peers that the set itself owns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use super::entries::{Ended, Entries, Entry, Intake, Last, Limits};
use super::insert_error::InsertError;
use super::retained::Retained;
use crate::event::Watch;
use crate::id::PeerId;
use crate::outcome::CloseReason;
use crate::peer::close::handles::Closing;
use crate::peer::close::request::Request;
use crate::peer::close::run;
use crate::peer::close::sweep::Sweep;
use crate::peer::owner::{Keeper, Owner};
use crate::peer::record::{Record, RecordOptions, Set};
use crate::peer::status::Status;
use crate::runtime::{JoinHandle, Runtime};
use crate::sync::atomic::Ordering;
use crate::sync::{Event, Mutex, OnceLock, wake_all};
use crate::task::{StuckTasks, TaskGroup};

/// The part of a set that peers refer to. It does not end with the last handle to the set.
pub(super) struct Registry {
    pub(super) runtime: Option<Runtime>,
    pub(super) options: RecordOptions,
    limits: Limits,
    pub(super) watch: Watch,
    /// The number of the set in this process.
    #[cfg(feature = "test-util")]
    pub(super) number: u64,
    /// The set's own tasks; empty until somebody asks for them.
    pub(super) tasks: OnceLock<TaskGroup>,
    /// Notified when no peer is open any more.
    pub(super) idle: Event,
    inner: Mutex<Entries>,
}

/// The result of a search by id.
pub(super) enum Found {
    Peer(Arc<Record>),
    /// The peer has ended, and is remembered by its id.
    Ended(Ended),
    Nothing,
}

// The drop of the last reference to a record takes the registry's lock, so no function here may
// drop a reference to a record while it holds that lock.
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

    /// Reserves the place of a future peer, if a peer with this id and group is admitted.
    pub(super) fn reserve(&self, status: &Status) -> Result<(), InsertError> {
        // `known` is declared before the lock is taken, so that the record is dropped after the
        // lock is released.
        let known;
        let mut entries = self.inner.lock();
        known = entries.peers.get(&status.id).and_then(Entry::record);
        entries.admits(status, known.as_deref(), self.limits)?;
        entries.count(status.group.as_ref());
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

    /// Fills a reserved place with the peer that `make` creates.
    ///
    /// # Errors
    ///
    /// Returns [`InsertError::ShutDown`] if the set was shut down.
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

    /// Gives a reserved place back that was never filled.
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

    /// The number of open peers and reserved places.
    pub(super) fn open(&self) -> usize {
        self.inner.lock().open
    }

    /// Finds the peer with this id. A reservation is not a peer yet.
    pub(super) fn find(&self, id: &str) -> Found {
        let entries = self.inner.lock();
        match entries.peers.get_key_value(id) {
            Some((_, Entry::Reserved { .. })) => return Found::Nothing,
            Some((id, Entry::Peer { record, .. })) => {
                // A reference that cannot be upgraded means that the record is being dropped right
                // now.
                let ended = || Found::Ended(Ended { id: id.clone(), seen: true });
                return record.upgrade().map_or_else(ended, Found::Peer);
            }
            None => {}
        }
        let ended = entries.ended.iter().find(|ended| ended.id.as_str() == id);
        ended.map_or(Found::Nothing, |ended| Found::Ended(ended.clone()))
    }

    /// The owner of the peer with this id; `None` if the peer has no owner.
    pub(super) fn owner(&self, id: &str) -> Option<Arc<Owner>> {
        match self.inner.lock().peers.get(id)? {
            Entry::Peer { owner, .. } => owner.upgrade(),
            Entry::Reserved { .. } => None,
        }
    }

    /// The records of all peers that still exist, whether or not they have ended.
    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        self.inner.lock().peers.values().filter_map(Entry::record).collect()
    }

    /// The owners of all peers that have one.
    pub(super) fn owners(&self) -> Vec<Arc<Owner>> {
        let owner = |entry: &Entry| match entry {
            Entry::Peer { owner, .. } => owner.upgrade(),
            Entry::Reserved { .. } => None,
        };
        self.inner.lock().peers.values().filter_map(owner).collect()
    }

    /// Begins a close of each `chosen` peer that is not closed.
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

    /// Refuses new peers from now on.
    pub(super) fn take_no_more(&self, intake: Intake) {
        let mut entries = self.inner.lock();
        entries.intake = entries.intake.max(intake);
    }

    /// Ends the set's own tasks, within the bounds of its closes. Returns a handle to that end;
    /// `None` if the set has no tasks.
    pub(super) fn stop_tasks(&self) -> Option<JoinHandle<StuckTasks>> {
        let tasks = self.tasks.get()?;
        Some(Runtime::spawn_background(tasks.shutdown(self.options.close)))
    }

    /// The closed peers that are still held. Peers that are not held any more are forgotten.
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
        // The connection is foreign code, whose panic must not keep the peer registered.
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
