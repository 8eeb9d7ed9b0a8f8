//! The rows: who closes, and from where.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{Either, select};

use anypeer::peer::{CloseMode, ForceCause, RetainedBy};
use anypeer::runtime::WaitError;
use anypeer::webrtc::{self, live_objects};
use anypeer::{Outcome, PeerOptions, Peers};

use super::cell::{Action, Expect, Started, Subject, Target, eventually};
use crate::support::host::{Backend, Host, received};
use crate::support::loopback::{HANDLERS, Recorder, Seen, builder};
use crate::support::panics::DELIBERATE;
use crate::support::proc::udp_sockets;

/// A row of the table.
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    applies: fn(Backend) -> bool,
    pub(crate) act: fn(Backend, Action) -> String,
}

impl Caller {
    pub(crate) fn applies(&self, backend: Backend) -> bool {
        (self.applies)(backend)
    }
}

const fn row(name: &'static str, act: fn(Backend, Action) -> String) -> Caller {
    Caller { name, applies: |_| true, act }
}

const fn row_where(
    name: &'static str,
    applies: fn(Backend) -> bool,
    act: fn(Backend, Action) -> String,
) -> Caller {
    Caller { name, applies, act }
}

pub(crate) const CALLERS: &[Caller] = &[
    row("awaited in a task", awaited_in_a_task),
    row("started in a task, handle dropped", started_in_a_task_and_dropped),
    row("started in sync code in a task, awaited later", started_in_sync_code),
    row("waited on, on a plain thread", waited_on_a_plain_thread),
    row("waited on, in a blocking-pool thread", waited_in_a_blocking_pool),
    row("waited on, under an enter guard", waited_under_an_enter_guard),
    row("waited on, inside a task", waited_inside_a_task),
    #[cfg(feature = "tokio")]
    row_where("inside a LocalSet", Backend::is_tokio, inside_a_local_set),
    row("in its own handler, dropped", in_own_handler_dropped),
    row("in its own handler, awaited", in_own_handler_awaited),
    row("destructor while a panic unwinds", while_a_panic_unwinds),
    row("thread-local destructor, fresh thread", in_a_thread_local_destructor),
    row("thread-local destructor, after block_on", in_a_thread_local_destructor_after_block_on),
    row_where("runtime dropped before", Backend::can_be_dropped, runtime_dropped_before),
    row_where(
        "while the runtime shuts down",
        Backend::can_be_dropped,
        while_the_runtime_shuts_down,
    ),
    row_where("runtime that nobody drives", Backend::can_stand_still, runtime_not_driven),
    row("a task of a foreign runtime", in_a_foreign_task),
    row("a callback that blocks its thread", callback_blocks),
    row("open, stopped at each of its polls", open_stopped_at_each_poll),
    row("open, racing the close", open_racing),
    row("the handler holds its own peer", handler_holds_its_peer),
    row("connection and channel are kept", handles_are_kept),
];

fn awaited_in_a_task(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let outcome = host.in_task(async move { target.start(action).outcome().await });
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn started_in_a_task_and_dropped(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    host.in_task(async move { drop(target.start(action)) });
    traces.gone(Expect::Graceful)
}

fn started_in_sync_code(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let sync = move || target.start(action);
    let outcome = host.in_task(async move {
        let mut started = sync();
        later::pending_once().await;
        started.outcome().await
    });
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn waited_on_a_plain_thread(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let outcome = target.start(action).wait().expect("a plain thread may block");
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn waited_in_a_blocking_pool(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let outcome = host.in_blocking_pool(move || target.start(action).wait());
    let outcome = outcome.expect("a thread of the blocking pool may block");
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn waited_under_an_enter_guard(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let outcome = host.entered(|| target.start(action).wait());
    let outcome = outcome.expect("a plain thread may block under an enter guard");
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

/// Waits where that may be refused, and awaits if it is.
async fn wait_or_await(mut started: Started) -> (Option<Outcome>, &'static str) {
    let start = Instant::now();
    match started.wait() {
        Ok(outcome) => (outcome, ""),
        Err(WaitError::WouldStarve) => {
            let took = start.elapsed();
            assert!(
                took < Duration::from_millis(250),
                "expected a refusal at once, not in {took:?}"
            );
            (started.outcome().await, "refused, then ")
        }
        Err(error) => panic!("expected the outcome or a refusal, and it was {error:?}"),
    }
}

fn waited_inside_a_task(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let (outcome, refused) = host.in_task(async move { wait_or_await(target.start(action)).await });
    // Where it cannot be known that the wait stops the only thread, the close goes on without it.
    let unknown = !backend.marks_native_tasks() && action != Action::Drop;
    let expect = if unknown { Expect::Forced } else { Expect::Graceful };
    format!("{refused}{}", traces.verify(outcome.as_ref(), expect))
}

#[cfg(feature = "tokio")]
fn inside_a_local_set(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let (outcome, refused) =
        host.in_local_set(async move { wait_or_await(target.start(action)).await });
    format!("{refused}{}", traces.verify(outcome.as_ref(), Expect::Graceful))
}

fn in_own_handler_dropped(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let subject = Subject::connect(&host);
    let seen = Arc::clone(&subject.seen);
    let (target, traces, remote) = subject.split();
    let (returned, result) = channel();
    Subject::trigger(
        &seen,
        &remote,
        Box::new(move || {
            Box::pin(async move {
                drop(target.start(action));
                let _ = returned.send(());
            })
        }),
    );
    received(&result);
    traces.gone(Expect::Graceful)
}

fn in_own_handler_awaited(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let subject = Subject::connect(&host);
    let seen = Arc::clone(&subject.seen);
    let (target, traces, remote) = subject.split();
    let (returned, result) = channel();
    Subject::trigger(
        &seen,
        &remote,
        Box::new(move || {
            Box::pin(async move {
                let start = Instant::now();
                let outcome = target.start(action).outcome().await;
                let _ = returned.send((outcome, start.elapsed()));
            })
        }),
    );
    let (outcome, took) = received(&result);
    if action != Action::Drop {
        assert_eq!(outcome, Some(Outcome::InOwnHandler), "expected the await to say where it is");
    }
    assert!(took < Duration::from_millis(250), "expected the await at once, and it took {took:?}");
    traces.gone(Expect::Graceful)
}

/// Acts when it is dropped.
struct Destructor(Option<(Target, Action)>);

impl Drop for Destructor {
    fn drop(&mut self) {
        if let Some((target, action)) = self.0.take() {
            drop(target.start(action));
        }
    }
}

fn while_a_panic_unwinds(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let panicked = std::thread::spawn(move || {
        let _destructor = Destructor(Some((target, action)));
        std::panic::panic_any(DELIBERATE);
    });
    panicked.join().expect_err("the thread panics");
    traces.gone(Expect::Graceful)
}

thread_local! {
    static AT_THREAD_END: RefCell<Option<Destructor>> = const { RefCell::new(None) };
}

fn at_thread_end(backend: Backend, action: Action, before: fn()) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let thread = std::thread::spawn(move || {
        let destructor = Destructor(Some((target, action)));
        AT_THREAD_END.with(|slot| *slot.borrow_mut() = Some(destructor));
        before();
    });
    thread.join().expect("the thread ends");
    traces.gone(Expect::Graceful)
}

fn in_a_thread_local_destructor(backend: Backend, action: Action) -> String {
    at_thread_end(backend, action, || {})
}

fn in_a_thread_local_destructor_after_block_on(backend: Backend, action: Action) -> String {
    at_thread_end(backend, action, || {
        smol::block_on(async {});
        async_io::block_on(async {});
        futures::executor::block_on(async {});
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime can be built").block_on(async {});
    })
}

fn runtime_dropped_before(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    host.stop().drop();
    let outcome = target.start(action).wait().expect("a plain thread may block");
    traces.verify(outcome.as_ref(), Expect::Forced)
}

fn while_the_runtime_shuts_down(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let runtime = host.stop();
    runtime.spawn(async move {
        let _destructor = Destructor(Some((target, action)));
        std::future::pending::<()>().await;
    });
    runtime.drop();
    traces.gone(Expect::Forced)
}

fn runtime_not_driven(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let undriven = host.stop();
    let start = Instant::now();
    let outcome = target.start(action).wait().expect("a plain thread may block");
    let took = start.elapsed();
    assert!(took < super::cell::GONE_WITHIN, "expected the outcome within 2 s, not in {took:?}");
    let saw = traces.verify(outcome.as_ref(), Expect::Forced);
    undriven.drop();
    saw
}

fn in_a_foreign_task(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let (target, traces, _remote) = Subject::connect(&host).split();
    let task = async move { target.start(action).outcome().await };
    let outcome = if backend.is_tokio() {
        smol::block_on(smol::spawn(task))
    } else {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
        runtime.block_on(async { tokio::spawn(task).await.expect("the task ends") })
    };
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn callback_blocks(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let subject = Subject::connect(&host);
    let seen = Arc::clone(&subject.seen);
    let (target, traces, remote) = subject.split();
    let (entered, inside) = channel();
    Subject::trigger(
        &seen,
        &remote,
        Box::new(move || {
            Box::pin(async move {
                let _ = entered.send(());
                std::thread::sleep(Duration::from_secs(10));
            })
        }),
    );
    received(&inside);
    let start = Instant::now();
    let outcome = target.start(action).wait().expect("a plain thread may block");
    if let Some(outcome) = outcome {
        let stalled = CloseMode::Forced(ForceCause::HandlerStalled("on_data_channel"));
        assert_eq!(outcome, Outcome::Closed(stalled), "expected the callback to be named");
    }
    eventually("the socket to be closed under the callback", || {
        traces.sockets.intersection(&udp_sockets()).next().is_none()
    });
    let closure = traces.told();
    assert!(matches!(closure, CloseMode::Forced(_)), "expected a forced closure, not {closure}");
    let stalled = traces.log.stalled.lock().unwrap().clone();
    assert_eq!(stalled, ["on_data_channel"], "expected the stall to be reported");
    format!("forced: stalled, {} ms", start.elapsed().as_millis())
}

/// Everything that a peer consists of, before there is one.
struct Nothing {
    sockets: usize,
    handlers: usize,
}

impl Nothing {
    fn yet() -> Self {
        Self {
            sockets: udp_sockets().len(),
            handlers: HANDLERS.load(std::sync::atomic::Ordering::Acquire),
        }
    }

    fn more(&self) {
        eventually("no socket to be left", || udp_sockets().len() == self.sockets);
        eventually("no driver to be left", || live_objects().drivers == 0);
        eventually("no task to be left", || live_objects().tasks == 0);
        eventually("no handler to be left", || {
            HANDLERS.load(std::sync::atomic::Ordering::Acquire) == self.handlers
        });
    }
}

/// Polls an `open` a number of times, and then stops it by the action. Whether it got to its end.
async fn open_and_stop_at(poll: usize, peers: Peers, action: Action) -> bool {
    let handler = Recorder::new(Arc::new(Seen::default()));
    let options = PeerOptions::new().id("early");
    let opening = {
        let peers = peers.clone();
        async move { webrtc::open(&peers, builder(), |_| handler, options).await }
    };
    let mut opening = Box::pin(opening);
    for _ in 0..poll {
        if let Poll::Ready(opened) = futures::poll!(opening.as_mut()) {
            drop(opened.expect("an `open` that nothing stopped succeeds"));
            return true;
        }
        later::others_ran().await;
    }
    match action {
        Action::Drop => drop(opening),
        Action::Close | Action::CloseAll => {
            let known = !peers.is_empty();
            let mut closing = (action == Action::Close).then(|| peers.close("early"));
            let mut shutdown = (action == Action::CloseAll).then(|| peers.shutdown());
            let opened = opening.await;
            let closed = match (&mut closing, &mut shutdown) {
                (Some(closing), _) => closing.await,
                (_, Some(shutdown)) => {
                    let report = shutdown.await;
                    report.peers.first().map_or(Outcome::NotFound, |peer| peer.outcome.clone())
                }
                _ => unreachable!("one of the two was started"),
            };
            if known {
                opened.expect_err("expected an `open` that was closed meanwhile to be refused");
                assert!(closed.is_closed(), "expected it to be closed, and it is {closed:?}");
            } else {
                assert_eq!(closed, Outcome::NotFound, "there was nothing to close yet");
                assert_eq!(
                    opened.is_ok(),
                    action == Action::Close,
                    "expected a refusal after a shutdown, and only then"
                );
            }
        }
    }
    false
}

fn open_stopped_at_each_poll(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let nothing = Nothing::yet();
    for poll in 0..1000 {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let ended = host.in_task(open_and_stop_at(poll, peers, action));
        nothing.more();
        if ended {
            assert!(poll >= 2, "expected an `open` to take two polls at least");
            return format!("nothing left, {poll} polls");
        }
    }
    panic!("expected an `open` to end within 1000 polls");
}

fn open_racing(backend: Backend, action: Action) -> String {
    const ROUNDS: u64 = 40;
    let host = Host::start(backend);
    let nothing = Nothing::yet();
    let mut opened = 0;
    for round in 0..ROUNDS {
        let peers = Peers::builder().runtime(host.runtime()).build();
        let racer = peers.clone();
        let (cancel, cancelled) = oneshot::channel::<()>();
        let close = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(round * 50));
            match action {
                Action::Close => drop(racer.close("early")),
                Action::CloseAll => drop(racer.shutdown()),
                // The future is dropped in whatever state it is in.
                Action::Drop => drop(cancel),
            }
        });
        opened += u64::from(host.in_task(async move {
            let handler = Recorder::new(Arc::new(Seen::default()));
            let options = PeerOptions::new().id("early");
            let open = pin!(webrtc::open(&peers, builder(), |_| handler, options));
            match (action, select(open, cancelled).await) {
                (Action::Drop, Either::Right(_)) => false,
                (_, Either::Left((result, _))) => result.is_ok(),
                (_, Either::Right((_, open))) => open.await.is_ok(),
            }
        }));
        close.join().expect("the racer ends");
        nothing.more();
    }
    format!("{opened} closed, {} refused", ROUNDS - opened)
}

fn handler_holds_its_peer(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let subject = Subject::connect(&host);
    let seen = Arc::clone(&subject.seen);
    let held = subject.peer.clone();
    // Owned by what the handler records into, and never called.
    *seen.hook.lock().unwrap() = Some(Box::new(move || {
        drop(held);
        Box::pin(async {})
    }));
    drop(seen);
    let (target, traces, _remote) = subject.split();
    let mut started = target.start(action);
    if action == Action::Drop {
        assert_eq!(started.peers.len(), 1, "expected the handler to keep its peer open");
        // None outlives its set.
        drop(started);
        return traces.gone(Expect::Graceful);
    }
    let outcome = started.wait().expect("a plain thread may block");
    traces.verify(outcome.as_ref(), Expect::Graceful)
}

fn handles_are_kept(backend: Backend, action: Action) -> String {
    let host = Host::start(backend);
    let subject = Subject::connect(&host);
    let channel = Arc::clone(&subject.channel);
    let connection = subject.peer.connection().expect("the peer is open");
    let (target, traces, _remote) = subject.split();
    let peers = target.peers.clone();
    let outcome = target.start(action).wait().expect("a plain thread may block");
    let saw = traces.verify(outcome.as_ref(), Expect::Graceful);
    let held = peers.retained();
    assert_eq!(held.len(), 1, "expected one peer to be held: {held:?}");
    assert_eq!(held[0].peer, traces.id);
    let named = [RetainedBy::Connection(1), RetainedBy::DataChannel(String::from("data"))];
    assert_eq!(held[0].by, named, "expected both to be named");
    drop(connection);
    drop(channel);
    eventually("nothing to be held any more", || peers.retained().is_empty());
    format!("{saw}, named")
}

/// What the standard library lacks.
mod later {
    /// Waits for another executor. futures' pool polls a task that only wakes itself again at once,
    /// before any other.
    pub(super) async fn others_ran() {
        let background = anypeer::runtime::Runtime::background().expect("a thread can be started");
        background.spawn(async {}).await.expect("it ends");
    }

    /// Yields once.
    pub(super) async fn pending_once() {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
}
