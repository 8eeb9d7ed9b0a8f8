//! `Updates`: a stream of updates. They are kept in a ring buffer that any number of streams read
//! at their own pace.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::update::{Lagged, Update, UpdateId, UpdateKind};
use crate::sync::{Event, EventListener, Mutex, wake_all};

/// The ring buffer of updates.
pub(crate) struct Feed {
    /// A random number, which differs between monitors.
    epoch: u32,
    limit: usize,
    ring: Mutex<Ring>,
    pushed: Event,
}

struct Ring {
    /// The number of the next update.
    next: u64,
    kept: VecDeque<Arc<Update>>,
}

impl Feed {
    pub(super) fn new(limit: usize) -> Self {
        let ring = Ring { next: 1, kept: VecDeque::new() };
        Self { epoch: fastrand::u32(..), limit, ring: Mutex::new(ring), pushed: Event::new() }
    }

    /// Adds an update, and drops the oldest if the buffer is full.
    pub(super) fn push(&self, kind: UpdateKind) {
        let mut ring = self.ring.lock();
        let id = UpdateId { epoch: self.epoch, seq: ring.next };
        ring.next += 1;
        let gone = if ring.kept.len() >= self.limit { ring.kept.pop_front() } else { None };
        ring.kept.push_back(Arc::new(Update::new(id, kind)));
        drop(ring);
        drop(gone);
        wake_all(&self.pushed);
    }
}

/// A stream of what a [`Monitor`](crate::monitor::Monitor) records, returned by
/// [`Monitor::updates`](crate::monitor::Monitor::updates). The stream does not end.
///
/// All streams share one ring buffer, so a slow reader does not delay others. A reader that is too
/// slow receives [`Lagged`] in place of the updates that it has missed. `Updates` implements
/// [`Stream`], and [`try_recv`](Self::try_recv) receives without waiting.
///
/// ```
/// use anypeer::monitor::{Monitor, UpdateKind};
/// use futures::StreamExt;
///
/// let monitor = Monitor::new()?;
/// let mut updates = monitor.updates(None);
/// monitor.new_operation("sum").call(|| 1 + 2);
///
/// # futures::executor::block_on(async {
/// while let Some(received) = updates.next().await {
///     match received {
///         Ok(update) => match update.kind() {
///             UpdateKind::Connection { peer, event, .. } => println!("{peer}: {event}"),
///             UpdateKind::OperationEnded(operation) => {
///                 println!("{} took {:?}", operation.kind, operation.duration);
/// #               break;
///             }
///             _ => {}
///         },
///         // Too slow: read the current state again, for instance with `monitor.connections`.
///         Err(lagged) => println!("{lagged}"),
///     }
/// }
/// # });
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
///
/// # Cancel safety
///
/// Futures of the next item, such as `StreamExt::next`, are cancel safe: no update is lost.
pub struct Updates {
    feed: Arc<Feed>,
    next: u64,
    /// Whether the stream was to continue after an update of another monitor.
    stranger: bool,
    /// Set while the stream is pending.
    listener: Option<EventListener>,
}

impl Updates {
    pub(super) fn new(feed: Arc<Feed>, after: Option<UpdateId>) -> Self {
        let newest = feed.ring.lock().next;
        let own = after.filter(|id| id.epoch == feed.epoch && id.seq < newest);
        let stranger = after.is_some() && own.is_none();
        Self { feed, next: own.map_or(newest, |id| id.seq + 1), stranger, listener: None }
    }

    /// Returns the id of the update that was received last; before the first one, the id of the
    /// last update before the stream began. Pass the id to
    /// [`Monitor::updates`](crate::monitor::Monitor::updates) to continue after that update.
    #[must_use]
    pub fn position(&self) -> UpdateId {
        UpdateId { epoch: self.feed.epoch, seq: self.next.saturating_sub(1) }
    }

    /// Receives the next update, or returns `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// Returns [`Lagged`] if updates were missed.
    pub fn try_recv(&mut self) -> Option<Result<Arc<Update>, Lagged>> {
        if std::mem::take(&mut self.stranger) {
            return Some(Err(Lagged { missed: None }));
        }
        let ring = self.feed.ring.lock();
        if self.next == ring.next {
            return None;
        }
        let first = ring.next - ring.kept.len() as u64;
        // The difference fits into `usize`, since the buffer is in memory.
        let next = self.next.checked_sub(first).and_then(|at| ring.kept.get(at as usize));
        match next {
            Some(update) => {
                self.next += 1;
                Some(Ok(Arc::clone(update)))
            }
            None => {
                let missed = Some(ring.next - self.next);
                self.next = ring.next;
                Some(Err(Lagged { missed }))
            }
        }
    }
}

/// The stream does not end.
impl Stream for Updates {
    type Item = Result<Arc<Update>, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(received) = this.try_recv() {
                this.listener = None;
                return Poll::Ready(Some(received));
            }
            match &mut this.listener {
                // The listener is made before the buffer is read again, so that no update is
                // missed.
                None => this.listener = Some(this.feed.pushed.listen()),
                Some(listener) => {
                    ready!(Pin::new(listener).poll(cx));
                    this.listener = None;
                }
            }
        }
    }
}

/// A clone is an independent stream, which begins where this one is.
impl Clone for Updates {
    fn clone(&self) -> Self {
        let Self { feed, next, stranger, .. } = self;
        Self { feed: Arc::clone(feed), next: *next, stranger: *stranger, listener: None }
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("position", &self.position()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use futures::FutureExt;
    use futures::StreamExt;

    use super::*;
    use crate::id::PeerId;
    use crate::monitor::report::TimelineEvent;

    fn update(number: u64) -> UpdateKind {
        let peer = PeerId::new("peer").unwrap();
        let (at, event) = (SystemTime::UNIX_EPOCH, TimelineEvent::Opened);
        UpdateKind::Connection { number, peer, group: None, at, event }
    }

    fn number(received: Option<Result<Arc<Update>, Lagged>>) -> Option<u64> {
        match received?.ok()?.kind() {
            UpdateKind::Connection { number, .. } => Some(*number),
            _ => None,
        }
    }

    #[test]
    fn a_reader_hears_what_is_told_after_it_came_and_can_come_back() {
        let feed = Arc::new(Feed::new(4));
        feed.push(update(1));
        let mut updates = Updates::new(Arc::clone(&feed), None);
        assert!(updates.try_recv().is_none(), "expected nothing of what was told before");
        feed.push(update(2));
        feed.push(update(3));
        assert_eq!(number(updates.try_recv()), Some(2));
        let text = updates.position().to_string();
        let mut back = Updates::new(feed, Some(text.parse().unwrap()));
        assert_eq!(number(back.try_recv()), Some(3));
        assert!(back.try_recv().is_none());
    }

    #[test]
    fn what_left_the_ring_is_counted_and_skipped() {
        let feed = Arc::new(Feed::new(4));
        let mut updates = Updates::new(Arc::clone(&feed), None);
        (0..10).for_each(|number| feed.push(update(number)));
        let missed = updates.try_recv();
        assert!(matches!(missed, Some(Err(Lagged { missed: Some(10) }))), "{missed:?}");
        feed.push(update(10));
        assert_eq!(number(updates.try_recv()), Some(10));
    }

    #[test]
    fn an_id_of_another_monitor_or_of_the_future_is_a_gap_of_unknown_length() {
        let feed = Arc::new(Feed::new(4));
        for seq in [0, 7] {
            let epoch = feed.epoch.wrapping_add(u32::from(seq == 0));
            let mut updates = Updates::new(Arc::clone(&feed), Some(UpdateId { epoch, seq }));
            let missed = updates.try_recv();
            assert!(matches!(missed, Some(Err(Lagged { missed: None }))), "{missed:?}");
            assert!(updates.try_recv().is_none());
        }
    }

    #[test]
    fn a_stream_waits_for_the_next_update_and_does_not_end() {
        let feed = Arc::new(Feed::new(4));
        let mut updates = Updates::new(Arc::clone(&feed), None);
        let mut next = updates.next();
        assert!((&mut next).now_or_never().is_none(), "expected it to wait");
        feed.push(update(1));
        assert_eq!(number(next.now_or_never().flatten()), Some(1));
        (0..10).for_each(|number| feed.push(update(number)));
        let lagged = updates.next().now_or_never().flatten();
        assert!(matches!(lagged, Some(Err(Lagged { missed: Some(10) }))), "{lagged:?}");
        assert!(updates.next().now_or_never().is_none(), "expected it to go on");
    }
}
