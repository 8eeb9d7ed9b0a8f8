//! Counts of the objects that this crate keeps alive for `webrtc` connections.

use crate::sync::atomic::{AtomicUsize, Ordering};

/// What this crate keeps alive for `webrtc` connections, in the whole process, right now.
///
/// All counts are zero once every connection of every set is closed, whatever the application still
/// holds. For one set, use [`Peers::len`](crate::Peers::len) and
/// [`Peers::retained`](crate::Peers::retained); in tests, use `test_util::LeakGuard`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveObjects {
    /// Drivers, which are the futures that run connections.
    pub drivers: usize,
    /// Handlers of the application that this crate still refers to.
    pub handlers: usize,
    /// UDP and TCP sockets.
    pub sockets: usize,
    /// Tasks on the host's executors: those that run drivers, and those that drivers have spawned.
    pub tasks: usize,
}

/// Returns the current counts of the whole process.
#[must_use]
pub fn live_objects() -> LiveObjects {
    LiveObjects {
        drivers: DRIVERS.now(),
        handlers: HANDLERS.now(),
        sockets: SOCKETS.now(),
        tasks: TASKS.now(),
    }
}

/// See [`LiveObjects::drivers`].
pub(super) static DRIVERS: Gauge = Gauge::new();
/// See [`LiveObjects::handlers`].
pub(super) static HANDLERS: Gauge = Gauge::new();
/// See [`LiveObjects::sockets`].
pub(super) static SOCKETS: Gauge = Gauge::new();
/// See [`LiveObjects::tasks`].
pub(super) static TASKS: Gauge = Gauge::new();

/// The number of objects of one kind that exist.
pub(super) struct Gauge(AtomicUsize);

impl Gauge {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn now(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Counts an object until the guard is dropped.
    pub(super) fn count(&'static self) -> Counted {
        self.0.fetch_add(1, Ordering::AcqRel);
        Counted(self)
    }
}

/// A guard that counts one object in a [`Gauge`].
pub(super) struct Counted(&'static Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
