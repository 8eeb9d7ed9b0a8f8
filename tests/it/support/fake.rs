//! A connection without a network, which does as it is told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anypeer::ConnectionState;
use anypeer::peer::{
    CloseMode, Connection, ConnectionError, EndNotice, ForceCause, ReleaseNotice, StateNotice,
};
use anypeer::runtime::BoxFuture;
use event_listener::Event;

use super::panics::DELIBERATE;

/// How long a thread is blocked: longer than any test.
const FOREVER: Duration = Duration::from_secs(3600);

/// What the connection's close does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// It closes in order, at once.
    #[default]
    Closes,
    /// It closes, and whether its connection has ended cannot be seen.
    ClosesUnseen,
    /// It closes in order when [`Fake::release`] is called.
    ClosesLate,
    /// It never ends.
    Hangs,
    /// It never ends, and its future panics when it is dropped.
    HangsAndPanicsWhenDropped,
    /// Its future blocks the thread that polls it.
    Blocks,
    /// It blocks the thread that asks for its future.
    BlocksAtOnce,
    /// It panics with [`DELIBERATE`].
    Panics,
    /// It fails with [`REFUSED`].
    Fails,
    /// It fails with [`REFUSED`] when [`Fake::release`] is called.
    FailsLate,
}

/// The text of the error of a close that fails.
pub(crate) const REFUSED: &str = "refused";

/// What the connection answers when it is asked whether its remote side has said goodbye.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// It has not.
    #[default]
    Unsaid,
    /// The answer never comes.
    Hangs,
    /// The question panics.
    Panics,
}

/// A connection without a network. It closes in order at once, tells no state, and cannot be
/// forced, unless it is told otherwise.
#[derive(Default)]
pub(crate) struct Fake {
    conduct: Mutex<Conduct>,
    cooperative: bool,
    forced: Option<ForceCause>,
    goodbye: Goodbye,
    state: Mutex<Option<ConnectionState>>,
    /// Keeps the notice of a change of its state, if it is to give it.
    state_notice: Option<Mutex<Option<StateNotice>>>,
    states_asked: AtomicUsize,
    /// Keeps the notice that says when its memory is free, if it is to say so.
    release_notice: Option<Mutex<Option<ReleaseNotice>>>,
    end_notice: Mutex<Option<EndNotice>>,
    released: AtomicBool,
    release: Event,
    closes: AtomicUsize,
    aborts: AtomicUsize,
    goodbyes_asked: AtomicUsize,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One whose close does so.
    pub(crate) fn that(conduct: Conduct) -> Self {
        Self { conduct: Mutex::new(conduct), ..Self::default() }
    }

    /// Its close runs as a task on the peer's own runtime.
    pub(crate) fn cooperative(mut self) -> Self {
        self.cooperative = true;
        self
    }

    /// It can be forced, and that has this cause.
    pub(crate) fn forced_by(mut self, cause: ForceCause) -> Self {
        self.forced = Some(cause);
        self
    }

    pub(crate) fn goodbye(mut self, goodbye: Goodbye) -> Self {
        self.goodbye = goodbye;
        self
    }

    /// It tells its state, which is this one at first.
    pub(crate) fn state(self, state: ConnectionState) -> Self {
        self.set_state(state);
        self
    }

    /// It gives the notice of each change of its state.
    pub(crate) fn tells_changes(mut self) -> Self {
        self.state_notice = Some(Mutex::default());
        self
    }

    /// It says when its memory is free.
    pub(crate) fn tells_release(mut self) -> Self {
        self.release_notice = Some(Mutex::default());
        self
    }

    pub(crate) fn set_state(&self, state: ConnectionState) {
        *self.state.lock().unwrap() = Some(state);
        if let Some(kept) = &self.state_notice
            && let Some(notice) = &*kept.lock().unwrap()
        {
            notice.changed();
        }
    }

    /// Ends by itself.
    pub(crate) fn end(&self, cause: ForceCause) {
        let notice = self.end_notice.lock().unwrap().take();
        notice.expect("it was registered, and has not ended").ended(cause);
    }

    /// Lets go of the notice of changes: from now on it tells nothing of them.
    pub(crate) fn forget_changes(&self) {
        let kept = self.state_notice.as_ref().and_then(|kept| kept.lock().unwrap().take());
        drop(kept.expect("it tells of changes"));
    }

    /// From now on its close does what it should.
    pub(crate) fn mend(&self) {
        self.set_conduct(Conduct::Closes);
    }

    /// From now on its close does so.
    pub(crate) fn set_conduct(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    /// Lets a close go on that was to be late.
    pub(crate) fn release(&self) {
        self.released.store(true, Ordering::Release);
        self.release.notify(usize::MAX);
    }

    /// How many of its closes have begun.
    pub(crate) fn closes(&self) -> usize {
        self.closes.load(Ordering::Acquire)
    }

    /// How often it was to be forced.
    pub(crate) fn aborts(&self) -> usize {
        self.aborts.load(Ordering::Acquire)
    }

    /// How often it was asked for its state.
    pub(crate) fn states_asked(&self) -> usize {
        self.states_asked.load(Ordering::Acquire)
    }

    /// How often it was asked whether its remote side has said goodbye.
    pub(crate) fn goodbyes_asked(&self) -> usize {
        self.goodbyes_asked.load(Ordering::Acquire)
    }

    pub(crate) fn conduct(&self) -> Conduct {
        *self.conduct.lock().unwrap()
    }

    async fn released(&self) {
        while !self.released.load(Ordering::Acquire) {
            let released = self.release.listen();
            if !self.released.load(Ordering::Acquire) {
                released.await;
            }
        }
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{DELIBERATE}");
    }
}

impl Connection for Fake {
    fn close(self: Arc<Self>) -> BoxFuture<Result<Option<CloseMode>, ConnectionError>> {
        if self.conduct() == Conduct::BlocksAtOnce {
            std::thread::sleep(FOREVER);
        }
        Box::pin(async move {
            self.closes.fetch_add(1, Ordering::AcqRel);
            match self.conduct() {
                Conduct::Closes | Conduct::BlocksAtOnce => {}
                Conduct::ClosesUnseen => return Ok(None),
                Conduct::ClosesLate => self.released().await,
                Conduct::Hangs => std::future::pending().await,
                Conduct::HangsAndPanicsWhenDropped => {
                    let _bomb = Bomb;
                    std::future::pending::<()>().await;
                }
                Conduct::Blocks => std::thread::sleep(FOREVER),
                Conduct::Panics => panic!("{DELIBERATE}"),
                Conduct::Fails => return Err(ConnectionError::new(REFUSED)),
                Conduct::FailsLate => {
                    self.released().await;
                    return Err(ConnectionError::new(REFUSED));
                }
            }
            Ok(Some(CloseMode::Graceful))
        })
    }

    fn is_cooperative(&self) -> bool {
        self.cooperative
    }

    fn abort(self: Arc<Self>) -> BoxFuture<Option<CloseMode>> {
        self.aborts.fetch_add(1, Ordering::AcqRel);
        Box::pin(std::future::ready(self.forced.clone().map(CloseMode::Forced)))
    }

    fn state(&self) -> Option<ConnectionState> {
        self.states_asked.fetch_add(1, Ordering::AcqRel);
        *self.state.lock().unwrap()
    }

    fn remote_closed(self: Arc<Self>) -> BoxFuture<bool> {
        self.goodbyes_asked.fetch_add(1, Ordering::AcqRel);
        match self.goodbye {
            Goodbye::Unsaid => Box::pin(std::future::ready(false)),
            Goodbye::Hangs => Box::pin(std::future::pending()),
            Goodbye::Panics => panic!("{DELIBERATE}"),
        }
    }

    fn watch_end(&self, notice: EndNotice) {
        *self.end_notice.lock().unwrap() = Some(notice);
    }

    fn watch_state(&self, notice: StateNotice) {
        if let Some(kept) = &self.state_notice {
            *kept.lock().unwrap() = Some(notice);
        }
    }

    fn watch_release(&self, notice: ReleaseNotice) -> bool {
        match &self.release_notice {
            Some(kept) => *kept.lock().unwrap() = Some(notice),
            None => notice.defuse(),
        }
        self.release_notice.is_some()
    }
}
