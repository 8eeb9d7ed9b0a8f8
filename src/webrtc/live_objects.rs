//! How much there is of everything, in the whole process.

use crate::sync::atomic::{AtomicUsize, Ordering};

/// What this crate keeps alive for `webrtc` connections, in the whole process, right now.
///
/// All zero once every connection of every set is closed, whatever the application still holds. For
/// one set, ask [`Peers::len`](crate::Peers::len) and [`Peers::retained`](crate::Peers::retained); in
/// tests, `test_util::LeakGuard`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveObjects {
    /// Drivers: the futures that run connections.
    pub drivers: usize,
    /// Handlers of the application that are still referred to.
    pub handlers: usize,
    /// Sockets, of UDP and TCP.
    pub sockets: usize,
    /// Tasks on the host's executors: the drivers' own, and what they spawned.
    pub tasks: usize,
}

/// Counts them.
#[must_use]
pub fn live_objects() -> LiveObjects {
    LiveObjects {
        drivers: DRIVERS.now(),
        handlers: HANDLERS.now(),
        sockets: SOCKETS.now(),
        tasks: TASKS.now(),
    }
}

pub(super) static DRIVERS: Gauge = Gauge::new();
pub(super) static HANDLERS: Gauge = Gauge::new();
pub(super) static SOCKETS: Gauge = Gauge::new();
pub(super) static TASKS: Gauge = Gauge::new();

/// A number of things that are alive.
pub(super) struct Gauge(AtomicUsize);

impl Gauge {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn now(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Counts one until the guard is dropped.
    pub(super) fn count(&'static self) -> Counted {
        self.0.fetch_add(1, Ordering::AcqRel);
        Counted(self)
    }
}

/// One of a [`Gauge`]'s things.
pub(super) struct Counted(&'static Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
