//! Waiting with a bound: a test that does not come about fails, and does not hang.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};

/// The bound of what is waited for on a machine under load, where no other is to be held.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(2);

/// Asks until there is an answer; `None` if there was none in time.
pub(crate) fn poll<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        // One more time at the end: this thread may have been away.
        let over = start.elapsed() >= within;
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if over {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}

/// As [`poll`], for tasks.
pub(crate) async fn poll_in_task<T>(
    within: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Option<T> {
    let start = Instant::now();
    loop {
        let over = start.elapsed() >= within;
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if over {
            return None;
        }
        async_io::Timer::after(LOOK).await;
    }
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let held = poll(PATIENCE, || condition().then_some(()));
    assert!(held.is_some(), "expected {what} within {PATIENCE:?}");
}

/// As [`until`], for tasks.
pub(crate) async fn until_in_task(what: &str, mut condition: impl FnMut() -> bool) {
    let held = poll_in_task(PATIENCE, || condition().then_some(())).await;
    assert!(held.is_some(), "expected {what} within {PATIENCE:?}");
}

/// `None` if it takes longer.
pub(crate) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), async_io::Timer::after(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Runs a future to its end on this thread.
#[track_caller]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let output = futures::executor::block_on(within(PATIENCE, future));
    output.unwrap_or_else(|| panic!("expected an end within {PATIENCE:?}"))
}
