//! Stands in for the clock in a model: none of its alarms goes off.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// As the real one, but none of its alarms goes off.
#[derive(Clone, Debug, Default)]
pub struct Clock(());

impl Clock {
    /// The only one.
    #[must_use]
    pub const fn system() -> Self {
        Self(())
    }

    /// Always.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        true
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    pub(crate) fn since(&self, earlier: Instant) -> Duration {
        self.now().saturating_duration_since(earlier)
    }

    pub(crate) fn after(&self, duration: Duration) -> Instant {
        after(self.now(), duration)
    }

    pub(crate) fn alarm(&self, _at: Instant, _waker: Waker) -> Alarm {
        Alarm
    }

    pub(crate) fn sleep(&self, _duration: Duration) -> Sleep {
        Sleep
    }

    pub(crate) async fn by<F: Future + Unpin>(
        &self,
        _deadline: Instant,
        future: F,
    ) -> Option<F::Output> {
        Some(future.await)
    }
}

#[derive(Debug)]
pub(crate) struct Alarm;

#[derive(Debug)]
pub(crate) struct Sleep;

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration).unwrap_or(start)
}
