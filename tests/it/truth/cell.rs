//! One cell: a peer that is to be closed, and everything that must be gone after.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anypeer::peer::{CloseMode, ForceCause, ReaperOptions};
use anypeer::runtime::{Runtime, WaitError};
use anypeer::webrtc::{Peer, live_objects};
use anypeer::{
    Closing, ClosingAll, Event, EventKind, Observer, Outcome, PeerId, PeerOptions, Peers,
};

use super::caller::Caller;
use crate::support::host::{Backend, Host};
use crate::support::loopback::{HANDLERS, Hook, Seen, connect, open};
use crate::support::panics::DELIBERATE;
use crate::support::poll::poll;
use crate::support::proc::udp_sockets;

/// Within this, everything must be gone.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(2);

/// The bound of a blocking wait in a cell.
pub(crate) const WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Close,
    CloseAll,
    Drop,
}

pub(crate) const ACTIONS: &[Action] = &[Action::Close, Action::CloseAll, Action::Drop];

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::CloseAll => "close_all",
            Self::Drop => "drop",
        }
    }
}

/// What is expected of the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Graceful,
    Forced,
}

/// Panics that were not meant, counted by the hook.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Runs the cell; what it saw.
pub(crate) fn hold(row: &Caller, backend: Backend, action: Action) -> String {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(DELIBERATE) {
            PANICS.fetch_add(1, Ordering::AcqRel);
            default(info);
        }
    }));
    let saw = (row.act)(backend, action);
    let panics = PANICS.load(Ordering::Acquire);
    assert_eq!(panics, 0, "expected no panic on any thread");
    saw
}

/// What the observer was told of closes.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) closed: Mutex<Vec<(PeerId, CloseMode)>>,
    pub(crate) stalled: Mutex<Vec<&'static str>>,
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        match event.kind {
            EventKind::Closed { mode, .. } => {
                let peer = event.peer.expect("a peer was closed").clone();
                self.closed.lock().unwrap().push((peer, mode.clone()));
            }
            EventKind::HandlerStalled { callback, .. } => {
                self.stalled.lock().unwrap().push(callback);
            }
            _ => {}
        }
    }
}

/// A connected peer on the host, its remote side on the background runtime, and the traces by
/// which its end is known.
pub(crate) struct Subject {
    pub(crate) peers: Peers,
    pub(crate) peer: Peer,
    pub(crate) seen: Arc<Seen>,
    pub(crate) channel: Arc<dyn anypeer::webrtc::data_channel::DataChannel>,
    pub(crate) remote: Remote,
    pub(crate) traces: Traces,
}

/// The other side, which lives on.
pub(crate) struct Remote {
    pub(crate) peer: Peer,
    _peers: Peers,
}

/// How to know that the subject is gone.
#[derive(Clone)]
pub(crate) struct Traces {
    pub(crate) sockets: BTreeSet<u64>,
    pub(crate) log: Arc<Log>,
    pub(crate) id: PeerId,
    pub(crate) seen: Arc<Seen>,
    drivers_left: usize,
    handlers_left: usize,
}

impl Subject {
    pub(crate) fn connect(host: &Host) -> Self {
        let log = Arc::new(Log::default());
        let peers =
            Peers::builder().runtime(host.runtime()).observer(Arc::clone(&log) as _).build();
        host.in_task(async move {
            let background = Runtime::background().expect("a thread can be started");
            // It lives on, and is counted.
            let remote_peers =
                Peers::builder().runtime(background).reaper(ReaperOptions::off()).build();
            let (remote, remote_seen) =
                open(&remote_peers, PeerOptions::new()).await.expect("the remote side opens");
            let before = udp_sockets();
            let (drivers_left, handlers_left) =
                (live_objects().drivers, HANDLERS.load(Ordering::Acquire));
            let (peer, seen) = open(&peers, PeerOptions::new()).await.expect("the peer opens");
            let sockets: BTreeSet<_> = udp_sockets().difference(&before).copied().collect();
            assert_eq!(sockets.len(), 1, "expected the peer to have one socket of its own");
            assert_eq!(live_objects().drivers, drivers_left + 1, "expected a driver of its own");
            let channel =
                connect((&peer, &seen), (&remote, &remote_seen)).await.expect("the peers connect");
            let id = peer.id().clone();
            let traces =
                Traces { sockets, log, id, seen: Arc::clone(&seen), drivers_left, handlers_left };
            let remote = Remote { peer: remote, _peers: remote_peers };
            Self { peers, peer, seen, channel, remote, traces }
        })
    }

    /// Splits off what acts from what watches. The channel goes: a kept one is a row of its own.
    pub(crate) fn split(self) -> (Target, Traces, Remote) {
        let Self { peers, peer, traces, remote, .. } = self;
        (Target { peers, peer }, traces, remote)
    }

    /// Arranges for `hook` to run inside the peer's `on_data_channel`, and triggers it.
    pub(crate) fn trigger(seen: &Seen, remote: &Remote, hook: Hook) {
        *seen.hook.lock().unwrap() = Some(hook);
        let remote = remote.peer.clone();
        let run = async move {
            remote.create_data_channel("trigger", None).await.expect("a second channel")
        };
        let mut created = Runtime::background().unwrap().spawn(run);
        let channel = created.wait(WAIT).expect("created in time").expect("created");
        drop(channel);
    }
}

/// What is to be closed.
pub(crate) struct Target {
    pub(crate) peers: Peers,
    pub(crate) peer: Peer,
}

/// A close that was started.
pub(crate) struct Started {
    close: Close,
    /// Kept until the outcome is known; for a drop there is none left.
    _owner: Option<Peer>,
    pub(crate) peers: Peers,
}

enum Close {
    One(Closing),
    All(ClosingAll),
    Dropped,
}

impl Target {
    /// Starts the action. The owner stays, except where its drop is the action.
    pub(crate) fn start(self, action: Action) -> Started {
        let Self { peers, peer } = self;
        let start = Instant::now();
        let (close, owner) = match action {
            Action::Close => (Close::One(peer.close()), Some(peer)),
            Action::CloseAll => (Close::All(peers.close_all()), Some(peer)),
            Action::Drop => {
                drop(peer);
                (Close::Dropped, None)
            }
        };
        let took = start.elapsed();
        // 1 ms on a quiet machine; here many cells share two cores.
        assert!(
            took < Duration::from_millis(250),
            "expected a start at once, and it took {took:?}"
        );
        Started { close, _owner: owner, peers }
    }
}

impl Started {
    /// The outcome, awaited; `None` for a drop, which has none.
    pub(crate) async fn outcome(&mut self) -> Option<Outcome> {
        match &mut self.close {
            Close::One(closing) => Some(closing.await),
            Close::All(closing) => Some(single(&closing.await)),
            Close::Dropped => None,
        }
    }

    /// The outcome, waited for.
    pub(crate) fn wait(&mut self) -> Result<Option<Outcome>, WaitError> {
        match &mut self.close {
            Close::One(closing) => closing.wait(WAIT).map(Some),
            Close::All(closing) => closing.wait(WAIT).map(|report| Some(single(&report))),
            Close::Dropped => Ok(None),
        }
    }
}

fn single(report: &anypeer::peer::Report) -> Outcome {
    assert_eq!(report.peers.len(), 1, "expected a report of one peer: {report}");
    report.peers[0].outcome.clone()
}

impl Traces {
    /// Checks the outcome, and that the peer is really gone; what was seen, for the table.
    pub(crate) fn verify(&self, outcome: Option<&Outcome>, expect: Expect) -> String {
        if let Some(outcome) = outcome {
            let Outcome::Closed(closure) = outcome else {
                panic!("expected Closed, and the outcome is {outcome:?}");
            };
            check(closure, expect);
            let open: Vec<_> = self.sockets.intersection(&udp_sockets()).copied().collect();
            assert!(open.is_empty(), "the outcome is Closed, and its socket is open: {open:?}");
        }
        self.gone(expect)
    }

    /// Checks that the peer's socket, driver and handler are gone in time, and that it was told
    /// once.
    pub(crate) fn gone(&self, expect: Expect) -> String {
        let start = Instant::now();
        eventually("the socket to be closed", || {
            self.sockets.intersection(&udp_sockets()).next().is_none()
        });
        eventually("the driver to be gone", || live_objects().drivers == self.drivers_left);
        eventually("the application's handler to be dropped", || {
            HANDLERS.load(Ordering::Acquire) == self.handlers_left
        });
        let took = start.elapsed();
        let closure = self.told();
        check(&closure, expect);
        let told = self.seen.closed.load(Ordering::Acquire);
        assert_eq!(told, 1, "expected the handler to be told Closed once");
        format!("{}, {} ms", word(&closure), took.as_millis())
    }

    /// The closure that the observer was told, exactly once.
    pub(crate) fn told(&self) -> CloseMode {
        eventually("the observer to be told Closed", || {
            !self.log.closed.lock().unwrap().is_empty()
        });
        let closed = self.log.closed.lock().unwrap();
        assert_eq!(closed.len(), 1, "expected exactly one Closed: {closed:?}");
        assert_eq!(closed[0].0, self.id, "expected Closed of the peer itself");
        closed[0].1.clone()
    }
}

fn check(closure: &CloseMode, expect: Expect) {
    let forced = matches!(closure, CloseMode::Forced(_));
    assert_eq!(forced, expect == Expect::Forced, "expected {expect:?}, and it was {closure}");
}

fn word(closure: &CloseMode) -> &'static str {
    match closure {
        CloseMode::Graceful => "graceful",
        CloseMode::Forced(ForceCause::RuntimeGone) => "forced: runtime gone",
        CloseMode::Forced(ForceCause::HandlerStalled(_)) => "forced: stalled",
        CloseMode::Forced(ForceCause::Unresponsive) => "forced: unresponsive",
        CloseMode::Forced(_) => "forced",
        _ => "?",
    }
}

/// Waits for `condition`, at most for [`GONE_WITHIN`].
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let held = poll(GONE_WITHIN, || condition().then_some(()));
    assert!(held.is_some(), "expected {what} within {GONE_WITHIN:?}");
}
