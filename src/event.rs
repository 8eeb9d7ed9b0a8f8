//! What happens to peers, and who is told.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::candidate::{Candidate, Side};
use crate::id::{GroupId, OperationId, PeerId};
use crate::peer::{CloseReason, Closure, Outcome, Probe};
use crate::state::{
    ConnectionState, IceConnectionState, IceGatheringState, SdpType, SignalingState,
};
use crate::stats::{MediaKind, StatsReport};
use crate::task::{StuckTasks, TaskEnd, TaskInfo, WeakTaskGroup};

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
        /// Looks at its connection, now and later, without owning it.
        probe: &'a Probe,
    },
    /// The connection's state changed. `Closed` is told as [`Event::Closed`] instead.
    StateChanged {
        /// Which peer.
        peer: &'a PeerId,
        /// The new state.
        state: ConnectionState,
    },
    /// The state of ICE changed.
    IceConnectionStateChanged {
        /// Which peer.
        peer: &'a PeerId,
        /// The new state.
        state: IceConnectionState,
    },
    /// The state of gathering changed.
    IceGatheringStateChanged {
        /// Which peer.
        peer: &'a PeerId,
        /// The new state.
        state: IceGatheringState,
    },
    /// The state of signaling changed.
    SignalingStateChanged {
        /// Which peer.
        peer: &'a PeerId,
        /// The new state.
        state: SignalingState,
    },
    /// The session has to be negotiated.
    NegotiationNeeded {
        /// Which peer.
        peer: &'a PeerId,
    },
    /// A session description came into force, or is being negotiated.
    Described {
        /// Which peer.
        peer: &'a PeerId,
        /// Whose description it is.
        side: Side,
        /// Its type.
        kind: SdpType,
        /// The description as it is, with its ICE password.
        sdp: Sdp<'a>,
    },
    /// A candidate was gathered, or one of the remote side's was added. Those of a remote
    /// description are in that.
    CandidateAdded {
        /// Which peer.
        peer: &'a PeerId,
        /// Whose candidate it is.
        side: Side,
        /// The candidate.
        candidate: &'a Candidate,
    },
    /// A STUN or TURN server could not be used (`RTCPeerConnectionIceErrorEvent`).
    CandidateFailed {
        /// Which peer.
        peer: &'a PeerId,
        /// The server.
        url: &'a str,
        /// STUN's error code; 701 where the server was not reached.
        code: u16,
        /// The error.
        message: &'a str,
    },
    /// An alert that ends a DTLS handshake passed by (RFC 5246, section 7.2).
    DtlsAlert {
        /// Which peer.
        peer: &'a PeerId,
        /// Who sent it.
        side: Side,
        /// What it says: 42 is a bad certificate.
        description: u8,
    },
    /// ICE servers and the policy for them were set.
    Configured {
        /// Which peer.
        peer: &'a PeerId,
        /// The configuration, **with its credentials**.
        configuration: &'a Configuration,
    },
    /// A data channel was made, by either side.
    ChannelAdded {
        /// Which peer.
        peer: &'a PeerId,
        /// Which side made it.
        side: Side,
        /// Its number, unique in the connection, and not that of its SCTP stream.
        id: u64,
        /// Its label, as whoever made it has chosen it.
        label: &'a str,
    },
    /// A track was added, by either side.
    TrackAdded {
        /// Which peer.
        peer: &'a PeerId,
        /// Which side sends it.
        side: Side,
        /// Its id, as whoever made it has chosen it.
        id: &'a str,
        /// Its kind; `None` where it is not known.
        kind: Option<MediaKind>,
    },
    /// A track is not sent any more.
    TrackRemoved {
        /// Which peer.
        peer: &'a PeerId,
        /// Which side sent it.
        side: Side,
        /// Its id.
        id: &'a str,
    },
    /// The connection was looked at closely: when it became Connected, or is not any more.
    Stats {
        /// Which peer.
        peer: &'a PeerId,
        /// What it knew of itself.
        report: &'a StatsReport,
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
    /// All memory of the connection is free: nobody holds anything of it any more. Before or after
    /// `Closed`; never where [`Probe::holders`] does not know.
    Released {
        /// Which peer.
        peer: &'a PeerId,
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
    /// A callback that was told to be stalled has returned, or was dropped with its driver: exactly
    /// one such event for each [`HandlerStalled`](Self::HandlerStalled).
    HandlerReturned {
        /// Which peer.
        peer: &'a PeerId,
        /// The callback's name.
        callback: &'static str,
        /// How long it held the driver.
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
    /// A group of tasks was made, which is empty yet.
    TaskGroupMade {
        /// The peer that it belongs to, if it belongs to one.
        peer: Option<&'a PeerId>,
        /// Looks at its tasks.
        group: &'a WeakTaskGroup,
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
    /// A call on a peer was made, or a close begun.
    OperationStarted {
        /// Its id.
        id: OperationId,
        /// Its kind: the call's name, or `close`, `close_group`, `close_all`, `shutdown`.
        operation: &'static str,
        /// What it is done to.
        target: Target<'a>,
    },
    /// A call on a peer, or a close, ended; exactly one for each start.
    OperationEnded {
        /// Its id.
        id: OperationId,
        /// Its kind.
        operation: &'static str,
        /// What it was done to.
        target: Target<'a>,
        /// How it ended.
        end: OperationEnd<'a>,
        /// How long it took.
        took: Duration,
    },
}

/// A session description as it is, with its ICE password, which its `Debug` does not show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sdp<'a>(&'a str);

impl<'a> Sdp<'a> {
    /// The description `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text, **with its ICE password**.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

impl std::fmt::Debug for Sdp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sdp({} bytes)", self.0.len())
    }
}

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// A peer.
    Peer(&'a PeerId),
    /// A peer that there is not: the text that was taken for its id.
    UnknownPeer(&'a str),
    /// A group: the text that was taken for its id.
    Group(&'a str),
    /// All peers of a set.
    All,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OperationEnd<'a> {
    /// With a result; in words, for a close.
    Completed(Option<&'a str>),
    /// With an error, whose [sources](Error::source) say why.
    Failed(&'a (dyn Error + 'static)),
    /// Its future was dropped before it was ready.
    Canceled,
}

/// The servers of a connection, and its policy for them (`RTCConfiguration`).
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Configuration {
    /// The STUN and TURN servers' addresses.
    pub ice_servers: Vec<String>,
    /// The names and credentials for them.
    pub credentials: Vec<String>,
    /// Whether only relayed candidates are used (`iceTransportPolicy`).
    pub relay_only: bool,
}

impl Configuration {
    /// One without servers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Configuration")
            .field("ice_servers", &self.ice_servers.len())
            .field("relay_only", &self.relay_only)
            .finish_non_exhaustive()
    }
}

/// Is told every [`Event`] of a [`Peers`](crate::Peers), as it happens.
///
/// Called on the thread where it happens, also inside the connection's driver: an observer must
/// not block. A panic of an observer is caught and ignored.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of `event`.
    fn on_event(&self, event: &Event<'_>);

    /// Who is told of one peer in place of this observer, from before its
    /// [`Opened`](Event::Opened): somebody who need not look for what is known of the peer. The
    /// peer may still be refused; then there is no `Opened`. By default this observer is told.
    fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Option<Arc<dyn Observer>> {
        let _ = (peer, group);
        None
    }
}

/// Whoever watches, or nobody: then no event is even made.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<[Arc<dyn Observer>]>>);

impl Watch {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self((!observers.is_empty()).then(|| observers.into()))
    }

    /// Those who watch one peer.
    pub(crate) fn for_peer(&self, peer: &PeerId, group: Option<&GroupId>) -> Self {
        let one = |observer: &Arc<dyn Observer>| {
            let chosen = catch_unwind(AssertUnwindSafe(|| observer.for_peer(peer, group)));
            chosen.ok().flatten().unwrap_or_else(|| Arc::clone(observer))
        };
        Self(self.0.as_ref().map(|observers| observers.iter().map(one).collect()))
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observers) = &self.0 {
            let event = event();
            for observer in &**observers {
                let _ignored = catch_unwind(AssertUnwindSafe(|| observer.on_event(&event)));
            }
        }
    }
}
