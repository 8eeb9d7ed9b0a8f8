//! The trait of observers.

use std::sync::Arc;

use super::kind::Event;
use crate::id::{GroupId, PeerId};

/// Receives every [`Event`] of the peers, the operations and the tasks of a set
/// ([`Peers`](crate::Peers)) or of a task group.
///
/// An observer is called on the thread on which the event happens. That thread may be running the
/// driver of a connection, so an observer must not block. A panic of an observer is caught and
/// ignored. Several threads may report events of one peer at the same time.
///
/// Attach an observer with [`PeersBuilder::observer`](crate::peer::PeersBuilder::observer):
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use anypeer::{Event, EventKind, Observer, Peers};
///
/// #[derive(Default)]
/// struct Closed(AtomicUsize);
///
/// impl Observer for Closed {
///     fn on_event(&self, event: &Event<'_>) {
///         if let EventKind::Closed { reason, mode, .. } = &event.kind {
///             println!("{:?} closed: {reason}, {mode}", event.peer);
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let closed = Arc::new(Closed::default());
/// let peers = Peers::builder().observer(Arc::clone(&closed) as _).build();
/// // .. open and close peers ..
/// println!("{} peers were closed", closed.0.load(Ordering::Relaxed));
/// ```
///
/// The `Monitor` (feature `monitor`) is an observer that keeps the history of connections,
/// operations and tasks.
pub trait Observer: Send + Sync + 'static {
    /// Handles an event. This is called on any thread, and must not block.
    fn on_event(&self, event: &Event<'_>);

    /// Returns an observer that receives the events of one peer in place of this observer. The
    /// default is `None`: this observer receives the events itself. An observer that keeps a record
    /// of each peer can return that record, and then does not have to find it for each event.
    ///
    /// This is called before [`Opened`](crate::EventKind::Opened) is reported. The set may still
    /// refuse the peer, and then no event of the peer follows.
    fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Option<Arc<dyn Observer>> {
        let _ = (peer, group);
        None
    }
}
