//! The reaper's rules for one peer.

use std::sync::{OnceLock, Weak};
use std::time::{Duration, Instant};

use super::options::ReaperOptions;
use crate::outcome::CloseReason;
use crate::runtime::clock::after;
use crate::state::ConnectionState;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How often the reaper checks whether the remote side has closed the connection. This can be read
/// 100 ms after the remote side has closed (measured), and must be noticed within 1.5 s.
const TICK: Duration = Duration::from_millis(750);

/// The longest time between two attempts of the reaper to close a peer that does not close.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// The reaper's knowledge of one peer.
pub(super) struct Reaping {
    options: ReaperOptions,
    opened: Instant,
    seen: Mutex<Seen>,
    /// Whether a look is in progress. A look asks the connection, which may take long.
    looking: AtomicBool,
    /// Can be upgraded as long as the connection notifies of changes of its state. Otherwise the
    /// reaper has to look for them.
    notice: OnceLock<Weak<()>>,
}

/// What the reaper has seen of a peer.
#[derive(Default)]
struct Seen {
    /// The last state, and the instant at which the reaper first saw it.
    state: Option<(ConnectionState, Instant)>,
    /// Whether the peer was ever connected.
    connected: bool,
    /// The end and the length of the back-off of a peer that did not close.
    back_off: Option<(Instant, Duration)>,
}

impl Reaping {
    pub(super) fn new(options: ReaperOptions, opened: Instant) -> Self {
        let (seen, looking) = (Mutex::default(), AtomicBool::new(false));
        Self { options, opened, seen, looking, notice: OnceLock::new() }
    }

    /// Notes that the connection notifies of changes of its state.
    pub(super) fn tells_changes(&self, notice: Weak<()>) {
        // The cell is still empty, since a connection is registered only once.
        let _first = self.notice.set(notice);
    }

    /// Whether the connection notifies of changes of its state.
    pub(super) fn is_told_of_changes(&self) -> bool {
        self.notice.get().is_some_and(|notice| notice.strong_count() > 0)
    }

    /// Whether to ask if the remote side has closed the connection.
    pub(super) fn asks_for_goodbye(&self) -> bool {
        self.options.goodbye
    }

    /// Begins a look. Returns false while another one is in progress.
    pub(super) fn begin_look(&self) -> bool {
        !self.looking.swap(true, Ordering::AcqRel)
    }

    /// Ends the look that [`begin_look`](Self::begin_look) has begun.
    pub(super) fn end_look(&self) {
        self.looking.store(false, Ordering::Release);
    }

    /// Whether any rule is on.
    pub(super) fn is_on(&self) -> bool {
        self.options != ReaperOptions::off()
    }

    /// Whether the reaper leaves the peer alone at `now`, because the peer did not close before.
    pub(super) fn backs_off(&self, now: Instant) -> bool {
        self.seen.lock().back_off.is_some_and(|(until, _)| now < until)
    }

    /// Leaves a peer that did not close alone, each time for twice as long, up to
    /// [`LONGEST_BACK_OFF`].
    pub(super) fn back_off(&self, now: Instant) {
        let mut seen = self.seen.lock();
        let time = seen.back_off.map_or(TICK, |(_, time)| (2 * time).min(LONGEST_BACK_OFF));
        seen.back_off = Some((after(now, time), time));
    }

    /// The reason to close the peer now, if its limit in `state` is reached. The peer has been in
    /// that state since `since`, if that is known.
    pub(super) fn is_over(
        &self,
        state: ConnectionState,
        since: Option<Instant>,
        now: Instant,
    ) -> Option<CloseReason> {
        self.limit(state, since, now).filter(|(at, _)| *at <= now).map(|(_, reason)| reason)
    }

    /// The time at which the peer reaches its limit in `state`, and the reason to close it then;
    /// `None` if there is no limit.
    fn limit(
        &self,
        state: ConnectionState,
        since: Option<Instant>,
        now: Instant,
    ) -> Option<(Instant, CloseReason)> {
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
        limit.map(|limit| (after(since, limit), reason))
    }

    /// The time of the next look at the peer; `None` if no look is due before the state changes.
    pub(super) fn next_look(
        &self,
        state: Option<ConnectionState>,
        since: Option<Instant>,
        now: Instant,
    ) -> Option<Instant> {
        let limit = state.and_then(|state| self.limit(state, since, now)).map(|(at, _)| at);
        let asks = self.options.goodbye || !self.is_told_of_changes();
        let tick = asks.then(|| next_tick(now));
        let next = limit.into_iter().chain(tick).min()?;
        let back_off = self.seen.lock().back_off.map(|(until, _)| until);
        Some(next.max(back_off.unwrap_or(next)))
    }
}

/// The next common instant for looks, so that their threads are woken once for all peers.
fn next_tick(now: Instant) -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let since = now.saturating_duration_since(*EPOCH.get_or_init(|| now));
    let into = since.as_nanos() % TICK.as_nanos();
    after(now, TICK - Duration::from_nanos(into as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_peer_is_over_only_after_its_whole_time_in_one_state() {
        let start = Instant::now();
        let reaping = Reaping::new(ReaperOptions::new(), start);
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
        let mut now = Instant::now();
        let reaping = Reaping::new(ReaperOptions::new(), now);
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
        let reaping = Reaping::new(ReaperOptions::off(), Instant::now());
        let later = Instant::now() + 100_000 * SECOND;
        for state in [ConnectionState::New, ConnectionState::Disconnected, ConnectionState::Failed]
        {
            assert_eq!(reaping.is_over(state, Some(reaping.opened), later), None, "in {state}");
        }
        assert!(!reaping.is_on());
    }
}
