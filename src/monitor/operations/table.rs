//! The table of operations.

use std::time::Instant;

use rustc_hash::FxHashMap;

use super::clean::Details;
use crate::id::{OperationId, PeerId};
use crate::monitor::context::Context;
use crate::monitor::live::{Span, is_enabled};
use crate::monitor::numbers::{
    Bounded, LocalHistogram, Names, OperationCounts, OperationMetrics, TIMES,
};
use crate::monitor::options::Limits;
use crate::monitor::report::{OperationInfo, OperationOutcome, OperationTarget, Page};
use crate::runtime::Clock;
use crate::sync::Mutex;

/// The record of one operation, in flight or ended.
#[derive(Debug)]
pub(crate) struct OperationRecord {
    id: OperationId,
    kind: &'static str,
    /// The index of the kind in [`Table::kinds`].
    place: usize,
    target: OperationTarget,
    details: Option<Box<Details>>,
    started: Instant,
    ended: Option<(Instant, OperationOutcome)>,
    /// The span of an operation that is recorded from events. An operation of the application holds
    /// its span itself.
    span: Option<Box<Span>>,
}

/// The numbers of operations of one kind.
#[derive(Debug)]
struct Kind {
    counts: OperationCounts,
    /// The durations, by outcome.
    durations: [LocalHistogram; 3],
}

impl Default for Kind {
    fn default() -> Self {
        let durations = std::array::from_fn(|_| LocalHistogram::new(TIMES));
        Self { counts: OperationCounts::default(), durations }
    }
}

/// The operations in flight, and the last ones that have ended.
pub(crate) struct Operations {
    limits: Limits,
    inner: Mutex<Table>,
}

struct Table {
    /// The operations in flight. No client can choose their ids, so a cheap hash is safe.
    active: FxHashMap<OperationId, Box<OperationRecord>>,
    /// The last operations that have ended, the latest last.
    finished: Bounded<Box<OperationRecord>>,
    all: OperationCounts,
    kinds: Names<Kind>,
    /// The number of operations that have no record, because too many were in flight.
    unknown: u64,
}

impl Operations {
    pub(crate) fn new(limits: Limits) -> Self {
        let inner = Table {
            active: FxHashMap::default(),
            finished: Bounded::new(),
            all: OperationCounts::default(),
            kinds: Names::new(limits.names),
            unknown: 0,
        };
        Self { limits, inner: Mutex::new(inner) }
    }

    /// Adds an operation that has started.
    #[inline]
    pub(crate) fn start(&self, context: &Context, record: OperationRecord) {
        context.outlets.operation_started(|| record.info(context));
        self.insert(Box::new(record));
    }

    #[inline]
    fn insert(&self, mut record: Box<OperationRecord>) {
        let mut inner = self.inner.lock();
        inner.all.started += 1;
        record.place = inner.kinds.place(record.kind);
        let place = record.place;
        if let Some(kind) = inner.kinds.at(place) {
            kind.counts.started += 1;
        }
        if inner.active.len() < self.limits.active_operations {
            let replaced = inner.active.insert(record.id, record);
            drop(inner);
            drop(replaced);
        } else {
            inner.unknown += 1;
        }
    }

    /// Ends an operation. It is called once for each operation.
    #[inline]
    pub(crate) fn end(
        &self,
        context: &Context,
        id: OperationId,
        kind: &'static str,
        at: Instant,
        outcome: OperationOutcome,
    ) {
        let traced = is_enabled().then(|| outcome.clone());
        let copied = context.outlets.take_operations();
        let (span, record) = self.finish(id, kind, at, outcome, copied);
        if let (Some(span), Some(outcome)) = (span, traced) {
            span.end(&outcome);
        }
        if let Some(record) = record {
            context.outlets.operation_ended(record.info(context));
        }
    }

    /// Moves an operation to those that have ended. Returns its span, and a copy of its record if
    /// `copied`. An operation without a record is only counted.
    #[inline]
    fn finish(
        &self,
        id: OperationId,
        kind: &'static str,
        at: Instant,
        outcome: OperationOutcome,
        copied: bool,
    ) -> (Option<Box<Span>>, Option<Box<OperationRecord>>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let end = outcome.kind();
        inner.all.add(end);
        let Some(mut record) = inner.active.remove(&id) else {
            // The operation has no record, because too many operations were in flight when it
            // started.
            let place = inner.kinds.place(kind);
            if let Some(kind) = inner.kinds.at(place) {
                kind.counts.add(end);
            }
            return (None, None);
        };
        if let Some(kind) = inner.kinds.at(record.place) {
            kind.counts.add(end);
            kind.durations[end as usize].observe(at.saturating_duration_since(record.started));
        }
        record.ended = Some((at, outcome));
        let (span, copy) = (record.span.take(), copied.then(|| record.copy()));
        let gone = inner.finished.push(record, self.limits.finished_operations);
        drop(guard);
        drop(gone);
        (span, copy)
    }

    pub(crate) fn counts(&self) -> OperationCounts {
        self.inner.lock().all
    }

    /// The numbers of each kind. Durations do not include operations without a record.
    pub(crate) fn kinds(&self) -> Vec<OperationMetrics> {
        let inner = self.inner.lock();
        let metrics = |(kind, known): (&'static str, &Kind)| OperationMetrics {
            kind,
            counts: known.counts,
            durations: known.durations.each_ref().map(LocalHistogram::read),
        };
        inner.kinds.iter().map(metrics).collect()
    }

    pub(crate) fn get<T>(
        &self,
        id: OperationId,
        read: impl Fn(&OperationRecord) -> T,
    ) -> Option<T> {
        let inner = self.inner.lock();
        let finished = || inner.finished.iter().rev().find(|record| record.id == id);
        inner.active.get(&id).or_else(finished).map(|record| read(record))
    }

    /// At most `limit` operations in flight, in the order of their start, after `after`.
    pub(crate) fn active<T>(
        &self,
        after: Option<OperationId>,
        limit: usize,
        read: impl Fn(&OperationRecord) -> T,
    ) -> Vec<T> {
        let inner = self.inner.lock();
        let later = inner.active.keys().filter(|id| after.is_none_or(|after| **id > after));
        let mut ids: Vec<_> = later.copied().collect();
        ids.sort_unstable();
        ids.iter().take(limit).filter_map(|id| inner.active.get(id)).map(|it| read(it)).collect()
    }

    /// The operations in flight of one peer.
    pub(crate) fn active_of<T>(
        &self,
        peer: &PeerId,
        read: impl Fn(&OperationRecord) -> T,
    ) -> Vec<T> {
        let inner = self.inner.lock();
        let own = |record: &OperationRecord| matches!(&record.target, OperationTarget::Peer(it) if it == peer);
        inner.active.values().map(|record| &**record).filter(|it| own(it)).map(read).collect()
    }

    /// At most `limit` operations that have ended, and for which `takes` is true, the latest first.
    /// If a position in the order of ending is given, only operations before it are returned.
    pub(crate) fn finished<T>(
        &self,
        before: Option<u64>,
        limit: usize,
        takes: impl Fn(&OperationOutcome) -> bool,
        read: impl Fn(&OperationRecord) -> T,
    ) -> Page<T> {
        let inner = self.inner.lock();
        let first = inner.finished.dropped();
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for (at, record) in inner.finished.iter().enumerate().rev() {
            let place = first + at as u64;
            let taken = record.ended.as_ref().is_some_and(|(_, outcome)| takes(outcome));
            if !taken || before.is_some_and(|before| place >= before) {
                continue;
            }
            if page.items.len() == limit {
                page.next = last;
                break;
            }
            page.items.push(read(record));
            last = Some(place);
        }
        page
    }

    /// The number of operations that had no record.
    pub(crate) fn unknown(&self) -> u64 {
        self.inner.lock().unknown
    }
}

impl OperationRecord {
    /// A copy without the span.
    #[cold]
    fn copy(&self) -> Box<Self> {
        Box::new(Self {
            target: self.target.clone(),
            details: self.details.clone(),
            ended: self.ended.clone(),
            span: None,
            ..*self
        })
    }

    pub(crate) fn id(&self) -> OperationId {
        self.id
    }

    /// The current time of the clock that the operation is measured by.
    fn now(&self) -> Instant {
        self.details.as_ref().map_or_else(Instant::now, |details| details.clock.now())
    }

    /// Everything that is known of the operation.
    pub(crate) fn info(&self, context: &Context) -> OperationInfo {
        let until = self.ended.as_ref().map_or_else(|| self.now(), |(at, _)| *at);
        OperationInfo {
            id: self.id,
            kind: self.kind,
            target: self.target.clone(),
            details: self.details.as_ref().map_or_else(Vec::new, |details| details.values.clone()),
            started_at: context.clock.wall(self.started),
            duration: until.saturating_duration_since(self.started),
            outcome: self.ended.as_ref().map(|(_, outcome)| outcome.clone()),
        }
    }

    #[inline]
    pub(crate) fn new(
        id: OperationId,
        kind: &'static str,
        target: OperationTarget,
        details: Option<Box<Details>>,
        clock: Clock,
        started: Instant,
    ) -> Self {
        let details = if clock.is_system() {
            details
        } else {
            Some(Box::new(Details { clock, ..details.map_or_else(Details::default, |it| *it) }))
        };
        Self { id, kind, place: 0, target, details, started, ended: None, span: None }
    }

    /// Makes the record of an operation that is recorded from events, with its span.
    #[inline]
    pub(crate) fn spanned(
        id: OperationId,
        kind: &'static str,
        target: OperationTarget,
        clock: &Clock,
        started: Instant,
    ) -> Self {
        let span = Span::start(id, kind, &target).map(Box::new);
        Self { span, ..Self::new(id, kind, target, None, clock.clone(), started) }
    }
}
