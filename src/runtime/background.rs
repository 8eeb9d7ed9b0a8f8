//! The small executor of our own.
//!
//! It runs what must not depend on the host's executor: the coordination of closes, and work that
//! has no executor at all. It has one thread, named `anypeer`, and gets another whenever all of
//! them are inside code that is not ours and that may block ([`foreign`]): so one connection whose
//! close blocks its thread delays no other.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_executor::Executor;
use event_listener::{Event, IntoNotification};
use pin_project_lite::pin_project;

use crate::sync::Mutex;

/// Beyond this many threads that foreign code holds, further foreign work waits for one of them.
const MAX_WORKERS: usize = 64;

/// Threads that stay, once they were needed: one inside a foreign poll, one beside it.
const KEPT_WORKERS: usize = 2;

/// Further threads go when they were not needed for this long. Polls are short and come in
/// bursts, and a thread costs more to start than a close does to coordinate.
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
    /// When all of them last were.
    needed: Option<Instant>,
}

static BACKGROUND: Background = Background {
    executor: Executor::new(),
    workers: Mutex::new(Workers { started: 0, foreign: 0, needed: None }),
    retire: Event::new(),
};

/// Starts the executor's thread unless it runs already.
pub(super) fn start() -> Result<(), StartError> {
    let mut workers = BACKGROUND.workers.lock();
    if workers.started == 0 {
        start_worker(&mut workers)?;
        spawn(super::time::fire()).detach();
    }
    Ok(())
}

fn start_worker(workers: &mut Workers) -> Result<(), StartError> {
    #[expect(clippy::disallowed_methods, reason = "the only threads of this crate")]
    std::thread::Builder::new()
        .name(String::from("anypeer"))
        .spawn(|| {
            let retired = BACKGROUND.retire.listen();
            async_io::block_on(BACKGROUND.executor.run(retired));
        })
        .map_err(|error| StartError(Arc::new(error)))?;
    workers.started += 1;
    Ok(())
}

/// Queues a task; it runs once [`start`] has succeeded, before or after.
pub(super) fn spawn<F>(future: F) -> async_executor::Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    BACKGROUND.executor.spawn(future)
}

/// Marks `future` as code that is not ours: its polls and its drop may block their thread.
pub(crate) fn foreign<F: Future>(future: F) -> Foreign<F> {
    Foreign { future }
}

pin_project! {
    /// See [`foreign`].
    pub(crate) struct Foreign<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Foreign<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _inside = Inside::enter();
        self.project().future.poll(cx)
    }
}

/// One worker is inside foreign code; the others keep the executor going.
struct Inside;

impl Inside {
    fn enter() -> Self {
        let mut workers = BACKGROUND.workers.lock();
        workers.foreign += 1;
        if workers.foreign >= workers.started && workers.started < MAX_WORKERS {
            workers.needed = Some(Instant::now());
            // If it cannot be started the work is done all the same, only less safely.
            let _best_effort = start_worker(&mut workers);
        }
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut workers = BACKGROUND.workers.lock();
        workers.foreign -= 1;
        if workers.started > KEPT_WORKERS + workers.foreign
            && workers.needed.is_none_or(|needed| needed.elapsed() > KEPT_FOR)
            && BACKGROUND.retire.notify(1.additional()) == 1
        {
            workers.started -= 1;
        }
    }
}

/// The background executor's thread could not be started.
///
/// The system refused a thread: see [`source`](std::error::Error::source).
#[derive(Clone, Debug)]
pub struct StartError(Arc<io::Error>);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the background executor's thread could not be started")
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
