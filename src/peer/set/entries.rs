//! Which peers there are, by their ids: what the registry keeps under its lock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use super::insert_error::InsertError;
use super::retained::Remains;
use crate::id::{GroupId, PeerId};
use crate::peer::owner::Owner;
use crate::peer::record::Record;
use crate::peer::status::Status;

/// How many peers that have ended, and of which nobody holds anything, are remembered by their ids.
const REMEMBERED: usize = 1024;

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
pub(super) struct Entries {
    pub(super) peers: HashMap<PeerId, Entry>,
    /// The peers that ended last and are not in `peers` any more, the oldest first.
    pub(super) ended: VecDeque<Ended>,
    pub(super) remains: Remains,
    pub(super) intake: Intake,
    /// How many have not ended, in all and in each group that has any.
    pub(super) open: usize,
    groups: HashMap<GroupId, usize>,
}

/// A peer that has ended, as it is remembered.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) id: PeerId,
    /// Whether its end was seen.
    pub(super) seen: bool,
}

pub(super) enum Entry {
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
pub(super) enum Last {
    Held(Weak<Record>, Weak<Owner>),
    Ended(Ended),
}

impl Entry {
    pub(super) fn record(&self) -> Option<Arc<Record>> {
        match self {
            Self::Reserved { .. } => None,
            Self::Peer { record, .. } => record.upgrade(),
        }
    }
}

impl Entries {
    /// Whether a new peer may come in; `known` is the last one of that id.
    pub(super) fn admits(
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
    pub(super) fn entry_of(&mut self, record: &Record) -> Option<&mut Entry> {
        let entry = self.peers.get_mut(&record.status.id)?;
        match entry {
            Entry::Peer { record: known, .. } if std::ptr::eq(known.as_ptr(), record) => {
                Some(entry)
            }
            _ => None,
        }
    }

    /// One open peer more.
    pub(super) fn count(&mut self, group: Option<&GroupId>) {
        self.open += 1;
        if let Some(group) = group {
            *self.groups.entry(group.clone()).or_default() += 1;
        }
    }

    /// One open peer less; says whether there is none any more.
    pub(super) fn uncount(&mut self, group: Option<&GroupId>) -> bool {
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
    pub(super) fn forget(&mut self, record: &Record) {
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

    pub(super) fn remember(&mut self, ended: Ended) {
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }

    /// What is remembered of an id, and from now on is not.
    pub(super) fn take_ended(&mut self, id: &PeerId) -> Option<Ended> {
        let place = self.ended.iter().position(|ended| ended.id == *id)?;
        self.ended.remove(place)
    }
}
