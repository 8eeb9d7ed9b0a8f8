//! Tools for tests: a guard that fails tests which leak peers, sockets or tasks, and a clock that
//! is advanced by hand.

mod leak_guard;
mod manual_clock;

pub use self::leak_guard::{DEFAULT_PATIENCE, LeakGuard, LeakedPeer, Leaks};
pub use self::manual_clock::ManualClock;
