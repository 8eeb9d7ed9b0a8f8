//! Long answers: made one at a time and off the executor, sent piece by piece, and only so many at
//! once, so that clients which ask and do not read keep nothing but those few.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{mem, thread};

use async_lock::{Semaphore, SemaphoreGuardArc};
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::problem::Problem;

/// How many there may be at once, being made or being sent. One more is answered with 503.
const AT_ONCE: usize = 64;

/// How much is handed over at once; hyper asks twice before others run.
const PIECE_BYTES: usize = 16 << 10;

/// The long answers there are.
pub(crate) struct LongAnswers {
    making: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// The turn to make one.
pub(crate) struct Turn {
    place: SemaphoreGuardArc,
    making: SemaphoreGuardArc,
}

impl LongAnswers {
    pub(crate) fn new() -> Self {
        Self { making: Arc::new(Semaphore::new(1)), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Waits for its turn.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let place = self.places.try_acquire_arc().ok_or_else(|| {
            Problem::unavailable("Too many long answers are being sent")
                .with_header("retry-after", "1")
        })?;
        Ok(Turn { place, making: self.making.acquire_arc().await })
    }
}

impl Turn {
    /// Makes the answer and sends it. It is some milliseconds of work: not for a thread that others
    /// wait for.
    ///
    /// # Cancel safety
    ///
    /// Dropped, what has begun is made to its end; nothing is sent.
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

/// A text on its way.
struct LongBody {
    text: Bytes,
    /// A piece was handed over: nothing comes at the next asking, so that others run.
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

/// How many entries are read or written before others get the core: some 100 us of work.
const CHUNK: usize = 8;

/// Does something with each entry, and gives way now and then: otherwise the thread keeps the core for
/// the whole of its time slice, and short answers wait for that.
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
