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

/// The maximum number of threads. When foreign code blocks all of them, further work waits until
/// one of them is free.
const MAX_WORKERS: usize = 64;

/// The time inside foreign code after which the threads are considered blocked. A foreign poll
/// usually takes microseconds; the margin is for threads that wait for a CPU core.
const BLOCKED_AFTER: Duration = Duration::from_millis(20);

/// An additional thread ends when no further thread was needed for this long.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// The executor and the bookkeeping of its threads.
struct Background {
    executor: Executor<'static>,
    workers: Mutex<Workers>,
    /// Notified to end one thread.
    retire: Event,
}

/// The threads of the executor.
struct Workers {
    started: usize,
    /// The number of threads that are polling or dropping foreign code.
    foreign: usize,
    /// The time since which all threads are inside foreign code.
    full_since: Option<Instant>,
    /// When an additional thread was last started.
    needed: Option<Instant>,
    /// When the supervisor looks at the threads next.
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

/// Starts the executor's first thread and the timer thread, unless they are running.
pub(super) fn start() -> Result<(), StartError> {
    let mut workers = BACKGROUND.workers.lock();
    if workers.started == 0 {
        clock::start().and_then(|()| workers.start_one()).map_err(StartError::new)?;
    }
    Ok(())
}

/// Queues a task. It runs once [`start`] has succeeded, whether before or after this call.
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

    /// Has the supervisor look at the threads at the given time.
    fn look_at(&mut self, at: Instant) {
        self.look = Some((at, Clock::system().alarm(at, Waker::from(Arc::new(Supervisor)))));
    }
}

/// The main function of a thread of the executor. It returns when the thread is retired.
fn work() {
    let (parker, unparker) = parking::pair();
    let waker = Waker::from(unparker);
    let mut cx = Context::from_waker(&waker);
    let mut run = pin!(BACKGROUND.executor.run(BACKGROUND.retire.listen()));
    while run.as_mut().poll(&mut cx).is_pending() {
        parker.park();
    }
}

/// Marks `future` as foreign code, which is code of the application or of another crate: polling or
/// dropping it may block the thread.
pub(crate) fn foreign<F>(future: F) -> Foreign<F::Output>
where
    F: Future + Send + 'static,
{
    Foreign { future: Some(Box::pin(future)) }
}

/// The future that [`foreign`] returns. A panic while the inner future is dropped is caught.
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
        // async-executor aborts the process if dropping a task's future panics.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

/// Counts the current thread as being inside foreign code until it is dropped.
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

/// Starts and retires additional threads. It runs on the timer thread, and only while foreign code
/// is running or there are additional threads.
struct Supervisor;

impl Wake for Supervisor {
    fn wake(self: Arc<Self>) {
        let now = Instant::now();
        let mut workers = BACKGROUND.workers.lock();
        if workers.foreign >= workers.started {
            workers.full_since.get_or_insert(now);
        }
        let blocked = workers.full_since.is_some_and(|since| now - since >= BLOCKED_AFTER);
        // If the system refuses a new thread, the next look tries again.
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
