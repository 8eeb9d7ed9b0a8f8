//! The counters, gauges and histograms of a monitor.

use std::array::from_fn;

use super::counts::StateCounts;
use super::histogram::{Histogram, LIFETIMES, SCORES, TIMES};
use crate::candidate::{CandidateType, Protocol};
use crate::monitor::diagnosis::{Cause, Stage};
use crate::peer::{CloseReason, Outcome};
use crate::state::{ConnectionState, DataChannelState};
use crate::stats::MediaKind;
use crate::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A number that only increases.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that increases and decreases.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    #[inline]
    pub(crate) fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The current value. It may be off by one while a change is in progress on another thread; a
    /// negative value is returned as zero.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed).try_into().unwrap_or(0)
    }
}

/// A value for each variant of an enum, by the variant's index in its `ALL`.
#[derive(Debug)]
pub(crate) struct Each<T, const N: usize>([T; N]);

impl<T: Default, const N: usize> Default for Each<T, N> {
    fn default() -> Self {
        Self(from_fn(|_| T::default()))
    }
}

impl<T, const N: usize> Each<T, N> {
    #[inline]
    pub(crate) fn at(&self, place: usize) -> &T {
        &self.0[place.min(N - 1)]
    }
}

/// The index of a value in a list of all values.
fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|it| it == one).unwrap_or(0)
}

/// The kind under which traffic is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrafficKind {
    Audio,
    Video,
    Data,
}

impl TrafficKind {
    pub(crate) const ALL: &[Self] = &[Self::Audio, Self::Video, Self::Data];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Data => "data",
        }
    }
}

impl From<MediaKind> for TrafficKind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Audio => Self::Audio,
            MediaKind::Video => Self::Video,
        }
    }
}

/// The traffic of one kind, of all connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) bytes_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) packets_sent: Counter,
    pub(crate) packets_received: Counter,
    pub(crate) packets_lost: Counter,
}

/// The outcome of a close, as a metrics label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseEnd {
    Graceful,
    Forced,
    Unconfirmed,
    TimedOut,
    Failed,
}

impl CloseEnd {
    pub(crate) const ALL: &[Self] =
        &[Self::Graceful, Self::Forced, Self::Unconfirmed, Self::TimedOut, Self::Failed];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Forced => "forced",
            Self::Unconfirmed => "unconfirmed",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
        }
    }

    /// The label of a close that did not end in `Closed`.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Unconfirmed => Self::Unconfirmed,
            Outcome::TimedOut { .. } => Self::TimedOut,
            _ => Self::Failed,
        }
    }
}

/// A phase of the setup of a connection whose duration is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// From the opening of the connection to the end of gathering.
    Gathering,
    /// From the time when both descriptions are set to ICE Connected.
    Ice,
    /// From ICE Connected to Connected.
    Dtls,
    /// From the opening of the connection to Connected, or to its end if it never was.
    Total,
}

impl Phase {
    pub(crate) const ALL: &[Self] = &[Self::Gathering, Self::Ice, Self::Dtls, Self::Total];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Ice => "ice",
            Self::Dtls => "dtls",
            Self::Total => "total",
        }
    }
}

/// The number of kinds of candidate pairs: 4 local types, 4 remote types and 2 protocols.
const PAIR_KINDS: usize = 4 * 4 * 2;

/// All numbers of a monitor, except those of operations and tasks.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Live connections by state, and under `Closed` all connections that have ended.
    states: Each<Gauge, 6>,
    /// All connections that were opened.
    pub(crate) opened: Counter,
    closed: Each<Counter, { CloseReason::ALL.len() }>,
    /// Failed connections, by stage and cause.
    failures: Vec<Counter>,
    /// Durations of setup phases that failed, and of those that succeeded.
    setups: Vec<[Histogram; 2]>,
    pub(crate) lifetimes: Histogram,
    /// Closed connections that the application still holds.
    pub(crate) unreleased: Gauge,
    closes: Vec<Histogram>,
    /// Live connections that a close did not end.
    pub(crate) not_closed: Gauge,
    /// Connections whose driver is held by a callback beyond its budget.
    pub(crate) stalled: Gauge,
    /// ICE restarts that were answered, and those that were not.
    pub(crate) ice_restarts: [Counter; 2],
    selected_pairs: Vec<Counter>,
    pub(crate) round_trip_times: Histogram,
    jitters: Vec<Histogram>,
    scores: Vec<Histogram>,
    traffic: Each<Traffic, 3>,
    /// Data channels of live connections, by state.
    channels: Each<Gauge, 4>,
    pub(crate) messages_sent: Counter,
    pub(crate) messages_received: Counter,
    pub(crate) events: Counter,
    pub(crate) samples: Counter,
}

impl Counters {
    pub(crate) fn new() -> Self {
        let seconds = |all: usize| (0..all).map(|_| Histogram::new(TIMES)).collect();
        Self {
            states: Each::default(),
            opened: Counter::default(),
            closed: Each::default(),
            failures: (0..Stage::ALL.len() * Cause::ALL.len())
                .map(|_| Counter::default())
                .collect(),
            setups: Phase::ALL.iter().map(|_| from_fn(|_| Histogram::new(TIMES))).collect(),
            lifetimes: Histogram::new(LIFETIMES),
            unreleased: Gauge::default(),
            closes: seconds(CloseEnd::ALL.len()),
            not_closed: Gauge::default(),
            stalled: Gauge::default(),
            ice_restarts: Default::default(),
            selected_pairs: (0..PAIR_KINDS).map(|_| Counter::default()).collect(),
            round_trip_times: Histogram::new(TIMES),
            jitters: seconds(TrafficKind::ALL.len()),
            scores: TrafficKind::ALL.iter().map(|_| Histogram::new(SCORES)).collect(),
            traffic: Each::default(),
            channels: Each::default(),
            messages_sent: Counter::default(),
            messages_received: Counter::default(),
            events: Counter::default(),
            samples: Counter::default(),
        }
    }

    #[inline]
    pub(crate) fn state(&self, state: ConnectionState) -> &Gauge {
        self.states.at(state as usize)
    }

    pub(crate) fn closed(&self, reason: CloseReason) -> &Counter {
        self.closed.at(place(CloseReason::ALL, &reason))
    }

    pub(crate) fn failure(&self, stage: Stage, cause: Cause) -> &Counter {
        &self.failures[place(Stage::ALL, &stage) * Cause::ALL.len() + place(Cause::ALL, &cause)]
    }

    /// The durations of a phase that succeeded, or of one that failed.
    pub(crate) fn setup(&self, phase: Phase, succeeded: bool) -> &Histogram {
        &self.setups[place(Phase::ALL, &phase)][usize::from(succeeded)]
    }

    pub(crate) fn close(&self, end: CloseEnd) -> &Histogram {
        &self.closes[place(CloseEnd::ALL, &end)]
    }

    pub(crate) fn selected_pair(
        &self,
        local: CandidateType,
        remote: CandidateType,
        protocol: Protocol,
    ) -> &Counter {
        let (local, remote) =
            (place(CandidateType::ALL, &local), place(CandidateType::ALL, &remote));
        &self.selected_pairs[(local * 4 + remote) * 2 + place(Protocol::ALL, &protocol)]
    }

    pub(crate) fn channel(&self, state: DataChannelState) -> &Gauge {
        self.channels.at(place(DataChannelState::ALL, &state))
    }

    pub(crate) fn jitter(&self, kind: TrafficKind) -> &Histogram {
        &self.jitters[place(TrafficKind::ALL, &kind)]
    }

    pub(crate) fn score(&self, kind: TrafficKind) -> &Histogram {
        &self.scores[place(TrafficKind::ALL, &kind)]
    }

    pub(crate) fn traffic(&self, kind: TrafficKind) -> &Traffic {
        self.traffic.at(place(TrafficKind::ALL, &kind))
    }

    pub(crate) fn states(&self) -> StateCounts {
        let state = |state| self.state(state).get();
        StateCounts {
            new: state(ConnectionState::New),
            connecting: state(ConnectionState::Connecting),
            connected: state(ConnectionState::Connected),
            disconnected: state(ConnectionState::Disconnected),
            failed: state(ConnectionState::Failed),
            closed: state(ConnectionState::Closed),
        }
    }
}
