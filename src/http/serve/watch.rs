//! The watchdog of HTTP connections. It checks all connections about once a second, which is
//! cheaper than a timer for each request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::task::AtomicWaker;
use hyper::body::{Frame, SizeHint};
use slab::Slab;

use crate::sync::Mutex;

/// All connections of one server.
pub(super) struct Watchdog {
    /// The time between two looks.
    interval: Duration,
    /// The number of looks after which a request head is late.
    head_looks: u64,
    /// The number of looks after which a write is late.
    write_looks: u64,
    /// The number of looks so far, which serves as the clock.
    looks: AtomicU64,
    connections: Mutex<Slab<Arc<Watched>>>,
}

/// The state of one connection.
pub(super) struct Watched {
    watchdog: Arc<Watchdog>,
    /// The look since which the connection waits for a request head; [`NEVER`] while a request is
    /// being answered.
    waiting: AtomicU64,
    /// The look since which nothing could be written; [`NEVER`] if nothing is to be written, or
    /// writing succeeds.
    stalled: AtomicU64,
    order: AtomicU8,
    waker: AtomicWaker,
}

/// No time, as a number of looks.
const NEVER: u64 = u64::MAX;

/// An order to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Order {
    /// Continue.
    Serve,
    /// End when the request in progress is answered.
    Finish,
    /// End immediately.
    End,
}

impl Watchdog {
    pub(super) fn new(head_timeout: Duration, write_timeout: Duration) -> Arc<Self> {
        let shortest = head_timeout.min(write_timeout) / 4;
        let interval = shortest.clamp(Duration::from_millis(10), Duration::from_secs(1));
        // The first look may follow immediately after a connection is accepted, so one look is
        // added.
        let looks = |limit: Duration| (limit.as_secs_f64() / interval.as_secs_f64()).ceil() as u64;
        Arc::new(Self {
            interval,
            head_looks: looks(head_timeout).saturating_add(1),
            write_looks: looks(write_timeout).saturating_add(1),
            looks: AtomicU64::new(0),
            connections: Mutex::default(),
        })
    }

    /// The time between two looks.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    fn now(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Adds a connection.
    pub(super) fn watch(self: &Arc<Self>) -> Watching {
        let watched = Arc::new(Watched {
            watchdog: Arc::clone(self),
            waiting: AtomicU64::new(self.now()),
            stalled: AtomicU64::new(NEVER),
            order: AtomicU8::new(Order::Serve as u8),
            waker: AtomicWaker::new(),
        });
        let place = self.connections.lock().insert(Arc::clone(&watched));
        Watching { watched, place }
    }

    /// Ends the connections whose request head or write is late.
    pub(super) fn look(&self) {
        let now = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        let is_over = |since: &AtomicU64, limit: u64| {
            now.checked_sub(since.load(Ordering::Relaxed)).is_some_and(|looks| looks >= limit)
        };
        self.tell(Order::End, |it| {
            let stalls = it.stalled.load(Ordering::Relaxed) != NEVER;
            let is_late = !stalls && is_over(&it.waiting, self.head_looks);
            is_late || is_over(&it.stalled, self.write_looks)
        });
    }

    /// Gives an order to all connections.
    pub(super) fn tell_all(&self, order: Order) {
        self.tell(order, |_| true);
    }

    /// Gives an order to the connections for which `whom` is true. An order is never revoked.
    fn tell(&self, order: Order, whom: impl Fn(&Watched) -> bool) {
        let all = self.connections.lock();
        let told: Vec<_> = all.iter().map(|(_, it)| it).filter(|it| whom(it)).cloned().collect();
        drop(all);
        // A waker is foreign code, so it is called without the lock.
        for watched in told {
            watched.order.fetch_max(order as u8, Ordering::AcqRel);
            watched.waker.wake();
        }
    }
}

/// Keeps a connection in the watchdog until it is dropped.
pub(super) struct Watching {
    pub(super) watched: Arc<Watched>,
    place: usize,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let gone = self.watched.watchdog.connections.lock().try_remove(self.place);
        drop(gone);
    }
}

impl Watched {
    /// The current order. The task of the connection is woken when it changes.
    pub(super) fn order(&self, cx: &Context<'_>) -> Order {
        self.waker.register(cx.waker());
        match self.order.load(Ordering::Acquire) {
            it if it == Order::Serve as u8 => Order::Serve,
            it if it == Order::Finish as u8 => Order::Finish,
            _ => Order::End,
        }
    }

    fn is_finishing(&self) -> bool {
        self.order.load(Ordering::Acquire) == Order::Finish as u8
    }

    /// Records that the head of a request has arrived.
    pub(super) fn asked(&self) {
        self.waiting.store(NEVER, Ordering::Relaxed);
    }

    /// Records whether a write has succeeded, at least in part.
    pub(super) fn wrote(&self, something: bool) {
        if something {
            // Most writes succeed immediately, so there is usually nothing to reset.
            if self.stalled.load(Ordering::Relaxed) != NEVER {
                self.stalled.store(NEVER, Ordering::Relaxed);
                // The client gets the end of the response only now, so its time for the next
                // request head begins now.
                if self.waiting.load(Ordering::Relaxed) != NEVER {
                    self.waiting.store(self.watchdog.now(), Ordering::Relaxed);
                }
            }
        } else {
            self.stalled.fetch_min(self.watchdog.now(), Ordering::Relaxed);
        }
    }
}

/// The body of a response. When it is dropped, the connection waits for the next request.
pub(super) struct WatchedBody {
    body: Body,
    watched: Arc<Watched>,
}

impl WatchedBody {
    pub(super) fn new(body: Body, watched: Arc<Watched>) -> Self {
        Self { body, watched }
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.watched.waiting.store(self.watched.watchdog.now(), Ordering::Relaxed);
    }
}

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // When the server shuts down, a stream of events ends here. Other bodies end by themselves.
        let is_endless = polled.is_pending() && self.body.size_hint().upper().is_none();
        if is_endless && self.watched.is_finishing() { Poll::Ready(None) } else { polled }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
