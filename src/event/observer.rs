//! The trait of observers.

use std::sync::Arc;

use super::kind::Event;
use crate::id::{GroupId, PeerId};

/// Receives every [`Event`] of a [`Peers`](crate::Peers) as it happens.
///
/// An observer is called on the thread where the event happens, which may be inside the
/// connection's driver, so an observer must not block. A panic of an observer is caught and
/// ignored. Events of one peer may come from several threads at once.
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
/// With the feature `monitor`, a `Monitor` is an observer that records what an operator needs.
pub trait Observer: Send + Sync + 'static {
    /// Handles an event. Called on any thread; must not block.
    fn on_event(&self, event: &Event<'_>);

    /// Returns an observer that receives the events of one peer in place of this observer, or
    /// `None`, the default, to keep this observer. An observer with a record for each peer can
    /// return that record, and need not look it up for each event.
    ///
    /// This is called before [`Opened`](crate::EventKind::Opened) is reported. The peer may still
    /// be refused, and then no event of it follows.
    fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Option<Arc<dyn Observer>> {
        let _ = (peer, group);
        None
    }
}
