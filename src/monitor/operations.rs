//! What is done, from its start to its one end.

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use super::bounded::Bounded;
use super::connection::{Connection, OperationCounts, State};
use super::core::Core;
use super::histogram::{LocalHistogram, TIMES};
use super::metrics::OperationMetrics;
use super::names::Names;
use super::options::{ERROR_BYTES, ERROR_CHAIN, Limits, NAME_BYTES};
use super::span::{self, Span};
use crate::event::{OperationEnd, Target};
use crate::id::{OperationId, PeerId};
use crate::redact::{Redactor, Secrets};
use crate::sync::Mutex;

/// What an operation is done to, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Nothing in particular.
    #[default]
    None,
    /// A peer.
    Peer(PeerId),
    /// A peer that there is not.
    UnknownPeer(Box<str>),
    /// A group.
    Group(Box<str>),
    /// All peers of a set.
    All,
}

impl Subject {
    pub(super) fn of(connection: &Connection) -> Self {
        Self::Peer(connection.id.clone())
    }

    pub(super) fn of_target(core: &Core, target: Target<'_>) -> Self {
        let name = |text: &str| core.redactor.text(text, &Secrets::default(), NAME_BYTES);
        match target {
            Target::Peer(peer) => Self::Peer(peer.clone()),
            Target::UnknownPeer(id) => Self::UnknownPeer(name(id)),
            Target::Group(group) => Self::Group(name(group)),
            Target::All => Self::All,
        }
    }
}

/// How an operation ended, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// With a result; in words, where it has any.
    Completed(Option<Box<str>>),
    /// With an error: its text and those of its sources, at least one.
    Failed(Box<[Box<str>]>),
    /// Its future was dropped before it was ready.
    Canceled,
}

impl Ending {
    /// A stable lower-case name of its kind.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// The kind of an end, which is all that the numbers need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EndKind {
    Completed,
    Failed,
    Canceled,
}

/// An end with its texts as they came, taken where no lock is held: an error's text is its own
/// code.
pub(super) enum RawEnd {
    Completed(Option<String>),
    Failed(Vec<String>),
    Canceled,
}

impl RawEnd {
    pub(super) fn of(end: &OperationEnd<'_>) -> Self {
        match end {
            OperationEnd::Completed(result) => Self::Completed(result.map(str::to_owned)),
            OperationEnd::Failed(error) => Self::Failed(chain(*error)),
            OperationEnd::Canceled => Self::Canceled,
        }
    }

    /// As it may be kept.
    fn clean(&self, redactor: &Redactor, secrets: &Secrets) -> Ending {
        match self {
            Self::Completed(result) => Ending::Completed(
                result.as_ref().map(|text| redactor.text(text, secrets, NAME_BYTES)),
            ),
            Self::Failed(chain) => {
                let texts = chain.iter().map(|text| redactor.text(text, secrets, ERROR_BYTES));
                Ending::Failed(texts.collect())
            }
            Self::Canceled => Ending::Canceled,
        }
    }
}

impl Ending {
    pub(super) fn kind(&self) -> EndKind {
        match self {
            Self::Completed(_) => EndKind::Completed,
            Self::Failed(_) => EndKind::Failed,
            Self::Canceled => EndKind::Canceled,
        }
    }
}

impl OperationCounts {
    #[inline]
    pub(super) fn add(&mut self, end: EndKind) {
        match end {
            EndKind::Completed => self.completed += 1,
            EndKind::Failed => self.failed += 1,
            EndKind::Canceled => self.canceled += 1,
        }
    }
}

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
        self.operations.start(Box::new(record));
    }

    /// Starts an operation that has its span itself.
    #[inline]
    pub(super) fn start_own(&self, record: Record) {
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
        let told = self.sink.is_some();
        let (span, record) = self.operations.end(id, kind, at, ending, told);
        if let (Some(span), Some(ending)) = (span, heard) {
            span.end(&ending);
        }
        if let (Some(sink), Some(record)) = (&self.sink, record) {
            sink.operation(self.operation_info(&record));
        }
    }

    /// An end as it may be kept, of what belongs to no connection.
    pub(super) fn ending(&self, raw: &RawEnd) -> Ending {
        raw.clean(&self.redactor, &Secrets::default())
    }
}

impl State {
    /// Likewise, without this connection's secrets.
    pub(super) fn ending(&self, core: &Core, raw: &RawEnd) -> Ending {
        match &self.session {
            Some(session) => raw.clean(&core.redactor, &session.secrets),
            None => core.ending(raw),
        }
    }
}

/// The texts of an error and of its sources.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let sources = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        let error: &(dyn Error + 'static) = *error;
        error.source()
    });
    let mut chain: Vec<_> = sources.take(ERROR_CHAIN).map(ToString::to_string).collect();
    // An error that says what its source says.
    chain.dedup();
    chain
}

/// The value of a detail.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// A text.
    Text(Box<str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

macro_rules! details {
    ($($from:ty => $variant:ident as $to:ty;)*) => {$(
        impl From<$from> for Detail {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        }
    )*};
}

details! {
    &str => Text as Box<str>;
    String => Text as Box<str>;
    i32 => Integer as i64;
    u32 => Integer as i64;
    i64 => Integer as i64;
    f64 => Number as f64;
    bool => Flag as bool;
}

/// What is to be known of an operation; few have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Details(pub(super) Vec<(&'static str, Detail)>);

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
    active: HashMap<OperationId, Box<Record>>,
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
            active: HashMap::new(),
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

    /// The last that have ended, the latest first.
    pub(super) fn finished<T>(&self, limit: usize, read: impl Fn(&Record) -> T) -> Vec<T> {
        let inner = self.inner.lock();
        inner.finished.iter().rev().take(limit).map(|record| read(record)).collect()
    }

    /// How many are not known by their ids.
    pub(super) fn unknown(&self) -> u64 {
        self.inner.lock().unknown
    }
}

/// Details as they may be kept.
pub(super) fn detail(redactor: &Redactor, name: &str, value: Detail) -> Detail {
    if Redactor::is_secret_name(name) {
        return Detail::Text(crate::redact::REDACTED.into());
    }
    match value {
        Detail::Text(text) => Detail::Text(redactor.text(&text, &Secrets::default(), NAME_BYTES)),
        other => other,
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
