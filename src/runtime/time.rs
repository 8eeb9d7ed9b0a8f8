//! Timers that work on any thread, whatever drives it, or nothing.
//!
//! One queue for all, with a single timer of async-io's behind it. Almost every timer here is
//! dropped before it fires (a close's bound, a driver's next deadline), and nearly none is the
//! earliest; a timer of async-io's wakes its reactor thread each time it is made, which was most
//! of what a close cost (measured: 2.3 times the bare close, with three timers each).

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_io::Timer;
use event_listener::Event;
use futures::future::{Either, select};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

struct Queue {
    waiting: Mutex<BTreeMap<(Instant, u64), Waker>>,
    /// Told when a timer becomes the earliest.
    earlier: Event,
}

static QUEUE: Queue = Queue { waiting: Mutex::new(BTreeMap::new()), earlier: Event::new() };

/// Fires the timers. The background executor runs it from its start, for ever.
pub(super) async fn fire() {
    loop {
        let earlier = QUEUE.earlier.listen();
        let now = Instant::now();
        let (due, next) = {
            let mut waiting = QUEUE.waiting.lock();
            let later = waiting.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut *waiting, later);
            (due, waiting.keys().next().map(|(at, _)| *at))
        };
        for waker in due.into_values() {
            waker.wake();
        }
        match next {
            Some(at) => drop(select(Timer::at(at), earlier).await),
            None => earlier.await,
        }
    }
}

/// Completes at its deadline, on any executor, or on none.
#[derive(Debug)]
pub(crate) struct Sleep {
    deadline: Instant,
    /// Its place among those of one deadline, once it waits.
    id: Option<u64>,
}

/// Completes after `duration`.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    const FAR: Duration = Duration::from_secs(1 << 32);
    let now = Instant::now();
    sleep_until(now.checked_add(duration).unwrap_or_else(|| now + FAR))
}

/// Completes at `deadline`.
pub(crate) fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, id: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        if self.deadline <= Instant::now() {
            return Poll::Ready(());
        }
        let id = *self.id.get_or_insert_with(|| IDS.fetch_add(1, Ordering::Relaxed));
        let key = (self.deadline, id);
        let mut waiting = QUEUE.waiting.lock();
        waiting
            .entry(key)
            .and_modify(|waker| waker.clone_from(cx.waker()))
            .or_insert_with(|| cx.waker().clone());
        let earliest = waiting.keys().next() == Some(&key);
        drop(waiting);
        if earliest {
            QUEUE.earlier.notify(1);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = QUEUE.waiting.lock().remove(&(self.deadline, id));
            drop(waker);
        }
    }
}

/// The output of `future`, or `None` at `deadline`; a future that is ready by then wins.
pub(crate) async fn by<F: Future + Unpin>(deadline: Instant, future: F) -> Option<F::Output> {
    match select(future, sleep_until(deadline)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
