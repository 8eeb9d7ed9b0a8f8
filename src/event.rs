//! What happens to peers, and who is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::id::{GroupId, PeerId};
use crate::peer::{CloseReason, Closure, Outcome};
use crate::state::ConnectionState;
use crate::task::{StuckTasks, TaskEnd, TaskInfo};

/// Something that happened.
///
/// Borrowed: an observer copies what it keeps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A peer was registered: its connection is about to be built, or was adopted.
    Opened {
        /// Which peer.
        peer: &'a PeerId,
        /// The group that it belongs to.
        group: Option<&'a GroupId>,
    },
    /// The connection's state changed. `Closed` is told as [`Event::Closed`] instead.
    StateChanged {
        /// Which peer.
        peer: &'a PeerId,
        /// The new state.
        state: ConnectionState,
    },
    /// A close was begun.
    CloseStarted {
        /// Which peer.
        peer: &'a PeerId,
        /// Who asked.
        reason: CloseReason,
    },
    /// The connection has ended: **exactly one such event a peer**, and none before the driver and
    /// the sockets are gone (with the exception of a
    /// [stalled handler](crate::peer::ForceCause::HandlerStalled)).
    Closed {
        /// Which peer.
        peer: &'a PeerId,
        /// Why.
        reason: CloseReason,
        /// How.
        closure: &'a Closure,
        /// How long the close took; zero for a connection that ended by itself.
        took: Duration,
    },
    /// A close ended in something else than `Closed`: it timed out, failed, or cannot be
    /// confirmed.
    NotClosed {
        /// Which peer.
        peer: &'a PeerId,
        /// Who asked.
        reason: CloseReason,
        /// What it ended in.
        outcome: &'a Outcome,
        /// How long it took.
        took: Duration,
    },
    /// A callback of the application's handler has spent its
    /// [budget](crate::PeerOptions::handler_budget) and holds the connection's driver. It goes on.
    /// Told once for each such callback; and at once where a close has to take the driver from
    /// under one.
    HandlerStalled {
        /// Which peer.
        peer: &'a PeerId,
        /// The callback's name.
        callback: &'static str,
        /// For how long by now.
        held: Duration,
    },
    /// A callback of the application's handler panicked. The connection lives on.
    HandlerPanicked {
        /// Which peer.
        peer: &'a PeerId,
        /// The callback's name.
        callback: &'static str,
        /// The panic's message.
        message: &'a str,
    },
    /// A recorded task was started.
    TaskStarted {
        /// The task.
        task: &'a TaskInfo,
    },
    /// A recorded task ended; exactly one for each start.
    TaskEnded {
        /// The task.
        task: &'a TaskInfo,
        /// How it ended.
        end: &'a TaskEnd,
    },
    /// A close is over, and tasks of the peer have not stopped within its bound.
    TasksStuck {
        /// Which peer.
        peer: &'a PeerId,
        /// The tasks.
        tasks: &'a StuckTasks,
    },
    /// A call on a peer was made.
    OperationStarted {
        /// Which peer.
        peer: &'a PeerId,
        /// The call's name.
        operation: &'static str,
    },
    /// A call on a peer ended; exactly one for each start.
    OperationEnded {
        /// Which peer.
        peer: &'a PeerId,
        /// The call's name.
        operation: &'static str,
        /// How it ended.
        end: OperationEnd,
        /// How long it took.
        took: Duration,
    },
}

/// How a call on a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationEnd {
    /// With a result.
    Completed,
    /// With an error.
    Failed,
    /// Its future was dropped before it was ready.
    Canceled,
}

/// Is told every [`Event`] of a [`Peers`](crate::Peers), as it happens.
///
/// Called on the thread where it happens, also inside the connection's driver: an observer must
/// not block. A panic of an observer is caught and ignored.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of `event`.
    fn on_event(&self, event: &Event<'_>);
}

/// Whoever watches, or nobody: then no event is even made.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Observer>>);

impl Watch {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self(observer)
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.0 {
            let event = event();
            let _ignored = catch_unwind(AssertUnwindSafe(|| observer.on_event(&event)));
        }
    }
}
