//! Tools for tests: a guard that fails those that leave something behind, and a clock that is
//! turned by hand.

mod leak_guard;
mod manual_clock;

pub use self::leak_guard::{DEFAULT_PATIENCE, LeakGuard, LeakedPeer, Leaks};
pub use self::manual_clock::ManualClock;
