//! The peers of a set by their ids, which the registry's lock protects.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use super::insert_error::InsertError;
use super::retained::Remains;
use crate::id::{GroupId, PeerId};
use crate::peer::owner::Owner;
use crate::peer::record::Record;
use crate::peer::status::Status;

/// How many ids of ended peers are remembered after the last handle to the peer is gone.
const REMEMBERED: usize = 1024;

/// The limits of open peers.
#[derive(Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) all: Option<usize>,
    pub(super) per_group: Option<usize>,
}

/// Whether new peers are accepted. A set only goes on to a later variant.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Intake {
    #[default]
    Open,
    Draining,
    ShutDown,
}

/// What the registry's lock protects.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) peers: HashMap<PeerId, Entry>,
    /// The last peers that ended and are no longer in `peers`, the oldest first.
    pub(super) ended: VecDeque<Ended>,
    pub(super) remains: Remains,
    pub(super) intake: Intake,
    /// The number of open peers, in all and in each group that has any.
    pub(super) open: usize,
    groups: HashMap<GroupId, usize>,
}

/// A remembered peer that has ended.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) id: PeerId,
    /// Whether the end was observed.
    pub(super) seen: bool,
}

/// What the set has under an id.
pub(super) enum Entry {
    /// A reservation, whose connection is being built.
    Reserved { last: Option<Last> },
    Peer {
        record: Weak<Record>,
        owner: Weak<Owner>,
        /// The set's own ownership of a detached peer.
        kept: Option<Arc<Owner>>,
    },
}

/// The ended peer that had the id before. It is restored if the reservation is cancelled.
pub(super) enum Last {
    Held(Weak<Record>, Weak<Owner>),
    Ended(Ended),
}

impl Entry {
    /// The record of a peer that still exists.
    pub(super) fn record(&self) -> Option<Arc<Record>> {
        match self {
            Self::Reserved { .. } => None,
            Self::Peer { record, .. } => record.upgrade(),
        }
    }
}

impl Entries {
    /// Whether a new peer may be added. `known` is the last peer with the same id.
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

    /// The entry of a record; `None` if another peer has the id now.
    pub(super) fn entry_of(&mut self, record: &Record) -> Option<&mut Entry> {
        let entry = self.peers.get_mut(&record.status.id)?;
        match entry {
            Entry::Peer { record: known, .. } if std::ptr::eq(known.as_ptr(), record) => {
                Some(entry)
            }
            _ => None,
        }
    }

    /// Counts one more open peer.
    pub(super) fn count(&mut self, group: Option<&GroupId>) {
        self.open += 1;
        if let Some(group) = group {
            *self.groups.entry(group.clone()).or_default() += 1;
        }
    }

    /// Counts one open peer less. Returns whether none is left.
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

    /// Removes a record, unless another peer has its id now. Remembers the id if the peer has
    /// ended.
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

    /// Remembers the id of an ended peer, in place of the oldest if there are [`REMEMBERED`]
    /// already.
    pub(super) fn remember(&mut self, ended: Ended) {
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }

    /// Removes and returns the remembered peer with this id.
    pub(super) fn take_ended(&mut self, id: &PeerId) -> Option<Ended> {
        let place = self.ended.iter().position(|ended| ended.id == *id)?;
        self.ended.remove(place)
    }
}
