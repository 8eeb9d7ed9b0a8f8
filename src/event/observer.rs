//! Who is told.

use std::sync::Arc;

use super::kind::Event;
use crate::id::{GroupId, PeerId};

/// Is told every [`Event`] of a [`Peers`](crate::Peers), as it happens.
///
/// An observer is called on the thread where the event happens, also inside the connection's
/// driver, so it must not block. A panic of an observer is caught and ignored.
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
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Takes note of `event`.
    fn on_event(&self, event: &Event<'_>);

    /// Names who is told of one peer in place of this observer, from before its
    /// [`Opened`](crate::EventKind::Opened): somebody who need not look up what is known of the
    /// peer. The peer may still be refused; then there is no `Opened`. By default this observer is
    /// told.
    fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Option<Arc<dyn Observer>> {
        let _ = (peer, group);
        None
    }
}
