//! Stands in for the timers in a model: none goes off.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Alarm;

impl Alarm {
    pub(crate) fn set(_at: Instant, _waker: Waker) -> Self {
        Self
    }
}

#[derive(Debug)]
pub(crate) struct Sleep;

pub(crate) fn sleep(_duration: Duration) -> Sleep {
    Sleep
}

pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration).unwrap_or(start)
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

pub(crate) async fn by<F: Future + Unpin>(_deadline: Instant, future: F) -> Option<F::Output> {
    Some(future.await)
}
