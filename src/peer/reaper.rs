//! Closing peers that are over, though nobody has said so.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::outcome::CloseReason;
use super::record::Record;
use super::registry::Registry;
use crate::runtime::background::foreign;
use crate::runtime::{Runtime, time};
use crate::state::ConnectionState;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How often every peer is looked at. A goodbye can be read 100 ms after it was said, and is to be
/// noticed within 1.5 s.
const TICK: Duration = Duration::from_millis(750);

/// A peer that would not close is asked again after this long at the latest.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// A connection that does not answer by then has not said goodbye.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Which peers are closed without being asked, and when.
///
/// By default a peer is closed that never connects within a minute, has been Failed or
/// Disconnected for 30 s, or whose remote side has said goodbye. An ICE restart has these 30 s:
/// it takes a connection from Disconnected, and also from Failed, back to Connected. Times are
/// exact to a second. A connection that does not tell its [state](crate::Peer::connection_state)
/// is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaperOptions {
    never_connected: Option<Duration>,
    disconnected: Option<Duration>,
    failed: Option<Duration>,
    goodbye: bool,
}

impl ReaperOptions {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            never_connected: Some(Duration::from_secs(60)),
            disconnected: Some(Duration::from_secs(30)),
            failed: Some(Duration::from_secs(30)),
            goodbye: true,
        }
    }

    /// Nothing is closed without being asked.
    #[must_use]
    pub const fn off() -> Self {
        Self { never_connected: None, disconnected: None, failed: None, goodbye: false }
    }

    /// How long after its opening a peer may still have to connect for the first time; `None` for
    /// ever.
    #[must_use]
    pub const fn never_connected(mut self, limit: Option<Duration>) -> Self {
        self.never_connected = limit;
        self
    }

    /// How long a peer may be Disconnected; `None` for ever. Less than 30 s takes away from what
    /// an ICE restart has.
    #[must_use]
    pub const fn disconnected(mut self, limit: Option<Duration>) -> Self {
        self.disconnected = limit;
        self
    }

    /// How long a peer may be Failed; `None` for ever. Less than 30 s takes away from what an ICE
    /// restart has.
    #[must_use]
    pub const fn failed(mut self, limit: Option<Duration>) -> Self {
        self.failed = limit;
        self
    }

    /// Whether to close a peer whose remote side has said goodbye.
    #[must_use]
    pub const fn goodbye(mut self, close: bool) -> Self {
        self.goodbye = close;
        self
    }
}

impl Default for ReaperOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What the reaper knows of one peer.
pub(super) struct Reaping {
    options: ReaperOptions,
    opened: Instant,
    seen: Mutex<Seen>,
    /// One look at a time: it asks the connection, which may take its time.
    looking: AtomicBool,
}

#[derive(Default)]
struct Seen {
    state: Option<(ConnectionState, Instant)>,
    connected: bool,
    /// Until when a peer that would not close is left alone, and for how long that is.
    back_off: Option<(Instant, Duration)>,
}

impl Reaping {
    pub(super) fn new(options: ReaperOptions) -> Self {
        let (seen, looking) = (Mutex::default(), AtomicBool::new(false));
        Self { options, opened: Instant::now(), seen, looking }
    }

    pub(super) fn is_on(&self) -> bool {
        self.options != ReaperOptions::off()
    }

    fn backs_off(&self, now: Instant) -> bool {
        self.seen.lock().back_off.is_some_and(|(until, _)| now < until)
    }

    /// Leaves a peer that would not close alone, each time for twice as long.
    fn back_off(&self, now: Instant) {
        let mut seen = self.seen.lock();
        let time = seen.back_off.map_or(TICK, |(_, time)| (2 * time).min(LONGEST_BACK_OFF));
        seen.back_off = Some((time::after(now, time), time));
    }

    /// Whether the peer's time is up in `state`, in which it has been since `since`, if that is
    /// known.
    fn is_over(
        &self,
        state: ConnectionState,
        since: Option<Instant>,
        now: Instant,
    ) -> Option<CloseReason> {
        let (since, connected) = {
            let mut seen = self.seen.lock();
            let first_seen = match seen.state {
                Some((known, since)) if known == state => since,
                _ => now,
            };
            seen.state = Some((state, first_seen));
            seen.connected |=
                matches!(state, ConnectionState::Connected | ConnectionState::Disconnected);
            (since.unwrap_or(first_seen), seen.connected)
        };
        let (limit, since, reason) = match state {
            ConnectionState::New | ConnectionState::Connecting if !connected => {
                (self.options.never_connected, self.opened, CloseReason::NeverConnected)
            }
            ConnectionState::Disconnected => {
                (self.options.disconnected, since, CloseReason::Disconnected)
            }
            ConnectionState::Failed => (self.options.failed, since, CloseReason::Failed),
            _ => return None,
        };
        limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit).then_some(reason)
    }
}

/// Looks at the registry's peers, again and again, until it has none.
pub(super) fn start(registry: Weak<Registry>) {
    drop(Runtime::spawn_background(async move {
        loop {
            time::sleep(TICK).await;
            let Some(registry) = registry.upgrade() else { return };
            let Some(records) = registry.to_reap() else { return };
            drop(registry);
            // Where a record goes, a connection may.
            let looks = async move { records.iter().for_each(look) };
            let _panicked = Runtime::spawn_background(foreign(looks)).await;
        }
    }));
}

/// Asks one connection how it is, on a thread of ours, and closes it if it is over.
fn look(record: &Arc<Record>) {
    let reaping = &record.reaping;
    if !reaping.is_on() || !record.is_open() || reaping.backs_off(Instant::now()) {
        return;
    }
    if reaping.looking.swap(true, Ordering::AcqRel) {
        return;
    }
    let asked = Looking(Arc::clone(record));
    drop(record.attempt(async move {
        let Looking(record) = &asked;
        let connection = &record.connection;
        let (state, since) = (connection.state(), connection.state_since());
        let over = state.and_then(|state| record.reaping.is_over(state, since, Instant::now()));
        let over = match over {
            None if record.reaping.options.goodbye => {
                let said = time::by(
                    time::after(Instant::now(), ANSWER_WITHIN),
                    Arc::clone(connection).remote_closed(),
                );
                (said.await == Some(true)).then_some(CloseReason::RemoteClosed)
            }
            over => over,
        };
        if let Some(reason) = over {
            let outcome = record.close(reason).await;
            if !outcome.is_closed() {
                record.reaping.back_off(Instant::now());
            }
        }
    }));
}

/// A look at a peer; the next one is not taken before this is dropped, however it ends.
struct Looking(Arc<Record>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.reaping.looking.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_peer_is_over_only_after_its_whole_time_in_one_state() {
        let start = Instant::now();
        let reaping = Reaping { opened: start, ..Reaping::new(ReaperOptions::new()) };
        let over = |state, at: u32| reaping.is_over(state, None, start + at * SECOND);
        use ConnectionState::{Connected, Connecting, Disconnected, Failed};
        assert_eq!(over(Connecting, 59), None);
        assert_eq!(over(Connecting, 60), Some(CloseReason::NeverConnected));
        assert_eq!(over(Connected, 61), None);
        assert_eq!(over(Connecting, 500), None, "expected one that was connected to have time");
        assert_eq!(over(Disconnected, 600), None);
        assert_eq!(over(Disconnected, 629), None);
        assert_eq!(over(Connected, 629), None);
        assert_eq!(over(Disconnected, 630), None, "expected a restart to begin it anew");
        assert_eq!(over(Disconnected, 660), Some(CloseReason::Disconnected));
        assert_eq!(over(Failed, 661), None);
        assert_eq!(over(Failed, 691), Some(CloseReason::Failed));
    }

    #[test]
    fn a_peer_that_would_not_close_is_left_alone_for_twice_as_long_each_time() {
        let reaping = Reaping::new(ReaperOptions::new());
        let mut now = Instant::now();
        assert!(!reaping.backs_off(now), "expected it to be looked at at first");
        for time in [TICK, 2 * TICK, 4 * TICK] {
            reaping.back_off(now);
            assert!(reaping.backs_off(now + time - SECOND / 10), "expected {time:?}");
            now += time;
            assert!(!reaping.backs_off(now), "expected no more than {time:?}");
        }
        for _ in 0..20 {
            reaping.back_off(now);
        }
        assert!(!reaping.backs_off(now + LONGEST_BACK_OFF), "expected it not to be for ever");
    }

    #[test]
    fn nothing_is_ever_over_where_the_reaper_is_off() {
        let reaping = Reaping::new(ReaperOptions::off());
        let later = Instant::now() + 100_000 * SECOND;
        for state in [ConnectionState::New, ConnectionState::Disconnected, ConnectionState::Failed]
        {
            assert_eq!(reaping.is_over(state, Some(reaping.opened), later), None, "in {state}");
        }
        assert!(!reaping.is_on());
    }
}
