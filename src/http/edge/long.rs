//! Large responses. They are built one at a time, on a thread for blocking work, and sent in
//! pieces. Their number is limited, so that clients that do not read their responses cannot use up
//! the memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{mem, thread};

use async_lock::{Semaphore, SemaphoreGuardArc};
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::problem::Problem;

/// How many large responses may be built or sent at once. A further request gets status 503.
const AT_ONCE: usize = 64;

/// The number of bytes that are sent in one poll. hyper polls twice before other tasks run.
const PIECE_BYTES: usize = 16 << 10;

/// Limits the large responses in progress.
pub(crate) struct LongAnswers {
    /// One permit, for the response that is being built.
    making: Arc<Semaphore>,
    /// A permit for each response that is being built or sent.
    places: Arc<Semaphore>,
}

/// The permission to build a large response.
pub(crate) struct Turn {
    place: SemaphoreGuardArc,
    making: SemaphoreGuardArc,
}

impl LongAnswers {
    pub(crate) fn new() -> Self {
        Self { making: Arc::new(Semaphore::new(1)), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Waits for the permission to build a large response. Refuses if too many are in progress.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let place = self.places.try_acquire_arc().ok_or_else(|| {
            Problem::unavailable("Too many large responses are in progress")
                .with_header("retry-after", "1")
        })?;
        Ok(Turn { place, making: self.making.acquire_arc().await })
    }
}

impl Turn {
    /// Builds the response with `make`, and returns its body. `make` runs on a thread for blocking
    /// work, because it takes some milliseconds.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, a response that is being built is finished and discarded.
    pub(crate) async fn make<T: Into<Bytes>>(
        self,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Body {
        let Self { place, making } = self;
        let text = blocking::unblock(move || {
            let text = make().into();
            drop(making);
            text
        });
        Body::new(LongBody { text: text.await, is_others_turn: false, _place: place })
    }
}

/// The body of a large response.
struct LongBody {
    text: Bytes,
    /// Whether the last poll returned a piece. If it did, the next poll yields to other tasks.
    is_others_turn: bool,
    _place: SemaphoreGuardArc,
}

impl hyper::body::Body for LongBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if mem::take(&mut self.is_others_turn) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_others_turn = true;
        let length = self.text.len().min(PIECE_BYTES);
        let piece = self.text.split_to(length);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.text.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.text.len() as u64)
    }
}

/// The number of entries that are visited before the thread yields. They take about 100 µs.
const CHUNK: usize = 8;

/// Visits each entry, and yields the thread after each chunk. Otherwise the thread would keep its
/// core for a whole time slice, which would delay small responses.
pub(crate) fn giving_way<T>(entries: &[T], mut visit: impl FnMut(&T)) {
    for chunk in entries.chunks(CHUNK) {
        chunk.iter().for_each(&mut visit);
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::{HttpBody, to_bytes};

    use super::*;
    use crate::runtime::wait;

    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        wait(&mut future, Duration::from_secs(10)).expect("it is ready")
    }

    #[test]
    fn an_answer_has_its_place_until_it_is_read() {
        let long = LongAnswers::new();
        let text = vec![b'x'; 3 * PIECE_BYTES + 1];
        let make = |text: Vec<u8>| now(now(long.turn()).unwrap().make(move || text));
        let mut sent: Vec<Body> = (0..AT_ONCE).map(|_| make(text.clone())).collect();
        assert!(now(long.turn()).is_err(), "expected no more at once");
        let one = sent.pop().unwrap();
        assert_eq!(one.size_hint().exact(), Some(text.len() as u64));
        let read = now(to_bytes(one, usize::MAX)).unwrap();
        assert_eq!(read, text);
        assert!(now(long.turn()).is_ok(), "expected its place to be free");
    }
}
