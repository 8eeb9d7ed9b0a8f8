//! What is done, from its start to its one end.

use std::time::Instant;

use rustc_hash::FxHashMap;

use super::bounded::Bounded;
use super::connection::OperationCounts;
use super::core::Core;
use super::detail::{Detail, Details, Subject};
use super::ending::Ending;
use super::feed::Update;
use super::histogram::{LocalHistogram, TIMES};
use super::metrics::OperationMetrics;
use super::names::Names;
use super::options::Limits;
use super::scan::Page;
use super::span::{self, Span};
use crate::id::{OperationId, PeerId};
use crate::sync::Mutex;

impl Core {
    /// Starts an operation that somebody else does.
    pub(super) fn start_operation(
        &self,
        id: OperationId,
        kind: &'static str,
        at: Instant,
        subject: Subject,
    ) {
        let span = Span::start(id, kind, &subject);
        let mut record = Record::new(id, kind, subject, None, at);
        record.span = span.map(Box::new);
        self.start_own(record);
    }

    /// Starts an operation that has its span itself.
    #[inline]
    pub(super) fn start_own(&self, record: Record) {
        if let Some(feed) = self.feed.get() {
            feed.push(Update::OperationStarted(self.operation_info(&record)));
        }
        self.operations.start(Box::new(record));
    }

    /// Ends an operation, once.
    #[inline]
    pub(super) fn end_operation(
        &self,
        id: OperationId,
        kind: &'static str,
        at: Instant,
        ending: Ending,
    ) {
        let heard = span::is_heard().then(|| ending.clone());
        let told = self.sink.is_some() || self.feed.get().is_some();
        let (span, record) = self.operations.end(id, kind, at, ending, told);
        if let (Some(span), Some(ending)) = (span, heard) {
            span.end(&ending);
        }
        let Some(record) = record else { return };
        let info = self.operation_info(&record);
        if let Some(sink) = &self.sink {
            sink.operation(info.clone());
        }
        if let Some(feed) = self.feed.get() {
            feed.push(Update::OperationEnded(info));
        }
    }
}

/// One operation, under way or ended.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: OperationId,
    pub(super) kind: &'static str,
    place: usize,
    pub(super) subject: Subject,
    details: Option<Box<Details>>,
    pub(super) started: Instant,
    pub(super) ended: Option<(Instant, Ending)>,
    /// Of one whose code is not ours; the others have it themselves.
    span: Option<Box<Span>>,
}

#[derive(Debug)]
struct Kind {
    counts: OperationCounts,
    /// By how they ended.
    durations: [LocalHistogram; 3],
}

impl Default for Kind {
    fn default() -> Self {
        let durations = std::array::from_fn(|_| LocalHistogram::new(TIMES));
        Self { counts: OperationCounts::default(), durations }
    }
}

/// Every operation that is known.
pub(super) struct Operations {
    limits: Limits,
    inner: Mutex<Inner>,
}

struct Inner {
    /// By ids that no client chooses: the hash need not withstand chosen ones.
    active: FxHashMap<OperationId, Box<Record>>,
    /// The last ones last.
    finished: Bounded<Box<Record>>,
    all: OperationCounts,
    kinds: Names<Kind>,
    /// Started when as many were under way as are known.
    unknown: u64,
}

impl Operations {
    pub(super) fn new(limits: Limits) -> Self {
        let inner = Inner {
            active: FxHashMap::default(),
            finished: Bounded::new(),
            all: OperationCounts::default(),
            kinds: Names::new(limits.names),
            unknown: 0,
        };
        Self { limits, inner: Mutex::new(inner) }
    }

    #[inline]
    fn start(&self, mut record: Box<Record>) {
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

    /// Ends an operation, once. The answer is its span, and if it is to be told a copy of it; nothing
    /// where it is not known.
    #[inline]
    fn end(
        &self,
        id: OperationId,
        kind: &'static str,
        at: Instant,
        ending: Ending,
        told: bool,
    ) -> (Option<Box<Span>>, Option<Box<Record>>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let end = ending.kind();
        inner.all.add(end);
        let Some(mut record) = inner.active.remove(&id) else {
            // One that started when there were too many to know.
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
        record.ended = Some((at, ending));
        let (span, copy) = (record.span.take(), told.then(|| record.copy()));
        let gone = inner.finished.push(record, self.limits.finished_operations);
        drop(guard);
        drop(gone);
        (span, copy)
    }

    pub(super) fn counts(&self) -> OperationCounts {
        self.inner.lock().all
    }

    /// Each kind's numbers, and how long those that were known took.
    pub(super) fn kinds(&self) -> Vec<OperationMetrics> {
        let inner = self.inner.lock();
        let metrics = |(kind, known): (&'static str, &Kind)| OperationMetrics {
            kind,
            counts: known.counts,
            durations: known.durations.each_ref().map(LocalHistogram::read),
        };
        inner.kinds.iter().map(metrics).collect()
    }

    pub(super) fn get<T>(&self, id: OperationId, read: impl Fn(&Record) -> T) -> Option<T> {
        let inner = self.inner.lock();
        let finished = || inner.finished.iter().rev().find(|record| record.id == id);
        inner.active.get(&id).or_else(finished).map(|record| read(record))
    }

    /// At most `limit` that are under way, in their order, after `after`.
    pub(super) fn active<T>(
        &self,
        after: Option<OperationId>,
        limit: usize,
        read: impl Fn(&Record) -> T,
    ) -> Vec<T> {
        let inner = self.inner.lock();
        let later = inner.active.keys().filter(|id| after.is_none_or(|after| **id > after));
        let mut ids: Vec<_> = later.copied().collect();
        ids.sort_unstable();
        ids.iter().take(limit).filter_map(|id| inner.active.get(id)).map(|it| read(it)).collect()
    }

    /// Those of one peer that are under way.
    pub(super) fn active_of<T>(&self, peer: &PeerId, read: impl Fn(&Record) -> T) -> Vec<T> {
        let inner = self.inner.lock();
        let own = |record: &Record| matches!(&record.subject, Subject::Peer(it) if it == peer);
        inner.active.values().map(|record| &**record).filter(|it| own(it)).map(read).collect()
    }

    /// At most `limit` of the last that have ended and are taken, the latest first; before a place
    /// in the order of their ends, if one is given.
    pub(super) fn finished<T>(
        &self,
        before: Option<u64>,
        limit: usize,
        takes: impl Fn(&Ending) -> bool,
        read: impl Fn(&Record) -> T,
    ) -> Page<T> {
        let inner = self.inner.lock();
        let first = inner.finished.dropped();
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for (at, record) in inner.finished.iter().enumerate().rev() {
            let place = first + at as u64;
            let taken = record.ended.as_ref().is_some_and(|(_, ending)| takes(ending));
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

    /// How many are not known by their ids.
    pub(super) fn unknown(&self) -> u64 {
        self.inner.lock().unknown
    }
}

impl Record {
    /// The same, without its span.
    #[cold]
    fn copy(&self) -> Box<Self> {
        Box::new(Self {
            subject: self.subject.clone(),
            details: self.details.clone(),
            ended: self.ended.clone(),
            span: None,
            ..*self
        })
    }

    pub(super) fn details(&self) -> &[(&'static str, Detail)] {
        self.details.as_ref().map_or(&[], |details| &details.0)
    }

    #[inline]
    pub(super) fn new(
        id: OperationId,
        kind: &'static str,
        subject: Subject,
        details: Option<Box<Details>>,
        started: Instant,
    ) -> Self {
        Self { id, kind, place: 0, subject, details, started, ended: None, span: None }
    }
}
