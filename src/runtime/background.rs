//! The background executor.
//!
//! It runs the work that must not depend on the host's executor: the coordination of closes, and
//! peers and tasks that have no other executor. It has one thread, named `anypeer`, and starts
//! another one when all of its threads have been inside foreign code ([`foreign`]) for too long, so
//! that a connection whose close blocks its thread does not delay others.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use async_executor::Executor;
use event_listener::{Event, IntoNotification};

use super::clock::{self, Alarm, Clock};
use super::spawner::BoxFuture;
use super::thread::{StartError, start_thread};
use crate::sync::Mutex;

/// Beyond this many threads that foreign code holds, further foreign work waits for one of them.
const MAX_WORKERS: usize = 64;

/// After this long inside foreign code, a thread is taken to be blocked. Foreign polls take
/// microseconds, and two cores may be shared by many threads.
const BLOCKED_AFTER: Duration = Duration::from_millis(20);

/// A thread more than the first goes when none more was needed for this long.
const KEPT_FOR: Duration = Duration::from_secs(10);

struct Background {
    executor: Executor<'static>,
    workers: Mutex<Workers>,
    retire: Event,
}

struct Workers {
    started: usize,
    /// How many of them are inside a foreign poll.
    foreign: usize,
    /// Since when all of them are.
    full_since: Option<Instant>,
    /// When the last one was started.
    needed: Option<Instant>,
    /// When they are looked at next.
    look: Option<(Instant, Alarm)>,
}

static BACKGROUND: Background = Background {
    executor: Executor::new(),
    workers: Mutex::new(Workers {
        started: 0,
        foreign: 0,
        full_since: None,
        needed: None,
        look: None,
    }),
    retire: Event::new(),
};

/// Starts the executor's thread and the timers', unless they run already.
pub(super) fn start() -> Result<(), StartError> {
    let mut workers = BACKGROUND.workers.lock();
    if workers.started == 0 {
        clock::start().and_then(|()| workers.start_one()).map_err(StartError::new)?;
    }
    Ok(())
}

/// Queues a task; it runs once [`start`] has succeeded, before or after.
pub(super) fn spawn<F>(future: F) -> async_executor::Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    BACKGROUND.executor.spawn(future)
}

impl Workers {
    fn start_one(&mut self) -> io::Result<()> {
        start_thread("anypeer", work)?;
        self.started += 1;
        Ok(())
    }

    fn look_at(&mut self, at: Instant) {
        self.look = Some((at, Clock::system().alarm(at, Waker::from(Arc::new(Supervisor)))));
    }
}

/// A worker's life.
fn work() {
    let (parker, unparker) = parking::pair();
    let waker = Waker::from(unparker);
    let mut cx = Context::from_waker(&waker);
    let mut run = pin!(BACKGROUND.executor.run(BACKGROUND.retire.listen()));
    while run.as_mut().poll(&mut cx).is_pending() {
        parker.park();
    }
}

/// Marks `future` as code that is not ours: its polls and its drop may block their thread.
pub(crate) fn foreign<F>(future: F) -> Foreign<F::Output>
where
    F: Future + Send + 'static,
{
    Foreign { future: Some(Box::pin(future)) }
}

/// See [`foreign`].
pub(crate) struct Foreign<T> {
    future: Option<BoxFuture<T>>,
}

impl<T> Future for Foreign<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let _inside = Inside::enter();
        match &mut self.future {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Foreign<T> {
    fn drop(&mut self) {
        let _inside = Inside::enter();
        let future = self.future.take();
        // The executor would abort the process.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

/// A worker is inside foreign code.
struct Inside;

impl Inside {
    fn enter() -> Self {
        let mut workers = BACKGROUND.workers.lock();
        workers.foreign += 1;
        if workers.foreign >= workers.started {
            let since = *workers.full_since.get_or_insert_with(Instant::now);
            let look = since + BLOCKED_AFTER;
            if workers.look.as_ref().is_none_or(|(next, _)| *next > look) {
                workers.look_at(look);
            }
        }
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut workers = BACKGROUND.workers.lock();
        workers.foreign -= 1;
        if workers.foreign < workers.started {
            workers.full_since = None;
        }
    }
}

/// Looks at the workers, on the timers' thread, while there is something to see.
struct Supervisor;

impl Wake for Supervisor {
    fn wake(self: Arc<Self>) {
        let now = Instant::now();
        let mut workers = BACKGROUND.workers.lock();
        if workers.foreign >= workers.started {
            workers.full_since.get_or_insert(now);
        }
        let blocked = workers.full_since.is_some_and(|since| now - since >= BLOCKED_AFTER);
        // A thread that the system refuses is asked for again at the next look.
        if blocked && workers.started < MAX_WORKERS && workers.start_one().is_ok() {
            workers.full_since = None;
            workers.needed = Some(now);
        }
        let surplus = workers.started > 1 + workers.foreign;
        if surplus
            && workers.needed.is_none_or(|needed| now - needed > KEPT_FOR)
            && BACKGROUND.retire.notify(1.additional()) == 1
        {
            workers.started -= 1;
        }
        workers.look = None;
        match *workers {
            Workers { foreign: 1.., .. } => workers.look_at(now + BLOCKED_AFTER),
            Workers { started: 2.., .. } => workers.look_at(now + KEPT_FOR),
            _ => {}
        }
    }
}
