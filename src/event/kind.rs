//! Events, and the kinds of them.

use std::time::{Duration, Instant};

use super::operation::{OperationEnd, Target};
use crate::candidate::{Candidate, Side};
use crate::id::{GroupId, OperationId, PeerId};
use crate::outcome::{CloseMode, CloseReason, Outcome};
use crate::probe::Probe;
use crate::runtime::Clock;
use crate::state::{
    ConnectionState, IceConnectionState, IceGatheringState, SdpType, SignalingState,
};
use crate::stats::{MediaKind, StatsReport};
use crate::task_info::{StuckTasks, TaskEnd, TaskInfo, WeakTaskGroup};

/// Something that happened: to which peer, when, and what.
///
/// Events are borrowed: an observer copies what it keeps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The peer that the event is about; `None` for an operation on several peers, and for a task
    /// that belongs to no peer.
    pub peer: Option<&'a PeerId>,
    /// When it happened, by the [clock](Self::clock). The clock is read once for each event, and
    /// every observer is given the same instant.
    pub at: Instant,
    /// The clock that dates the event: that of the peer's runtime, or of the set's or the task
    /// group's where there is no peer. How long ago the event was is for this clock to say.
    pub clock: &'a Clock,
    /// What happened.
    pub kind: EventKind<'a>,
}

impl<'a> Event<'a> {
    /// An event by the system's clock, for whoever tests an observer.
    #[must_use]
    pub const fn new(peer: Option<&'a PeerId>, at: Instant, kind: EventKind<'a>) -> Self {
        static SYSTEM: Clock = Clock::system();
        Self { peer, at, clock: &SYSTEM, kind }
    }
}

/// What happened, as part of an [`Event`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// A peer was registered: its connection is about to be built, or was adopted.
    #[non_exhaustive]
    Opened {
        /// The group that it belongs to.
        group: Option<&'a GroupId>,
        /// Looks at its connection, now and later, without owning it.
        probe: &'a Probe,
    },
    /// The connection's state changed. `Closed` is told as [`EventKind::Closed`] instead.
    ConnectionStateChanged {
        /// The new state.
        state: ConnectionState,
    },
    /// The state of ICE changed.
    IceConnectionStateChanged {
        /// The new state.
        state: IceConnectionState,
    },
    /// The state of gathering changed.
    IceGatheringStateChanged {
        /// The new state.
        state: IceGatheringState,
    },
    /// The state of signaling changed.
    SignalingStateChanged {
        /// The new state.
        state: SignalingState,
    },
    /// The session has to be negotiated.
    NegotiationNeeded,
    /// A session description was created, or is about to be set. It need not come into force: this
    /// is told so that whoever takes secrets out of texts knows its ICE password from the start.
    #[non_exhaustive]
    DescriptionProposed {
        /// Whose description it is.
        side: Side,
        /// The description as it is, with its ICE password.
        sdp: Sdp<'a>,
    },
    /// A session description came into force, or is being negotiated.
    DescriptionSet {
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
        /// Whose candidate it is.
        side: Side,
        /// The candidate.
        candidate: &'a Candidate,
    },
    /// A STUN or TURN server could not be used (`RTCPeerConnectionIceErrorEvent`).
    #[non_exhaustive]
    CandidateFailed {
        /// The server.
        url: &'a str,
        /// STUN's error code; 701 where the server was not reached.
        code: u16,
        /// The error.
        message: &'a str,
    },
    /// An alert that ends a DTLS handshake passed by (RFC 5246, section 7.2).
    #[non_exhaustive]
    DtlsAlert {
        /// Who sent it.
        side: Side,
        /// What it says: 42 is a bad certificate.
        description: u8,
    },
    /// ICE servers and the policy for them were set.
    #[non_exhaustive]
    Configured {
        /// The configuration, **with its credentials**.
        configuration: &'a Configuration,
    },
    /// A data channel was made, by either side.
    ChannelAdded {
        /// Which side made it.
        side: Side,
        /// Its number, unique in the connection, and not that of its SCTP stream.
        id: u64,
        /// Its label, as whoever made it has chosen it.
        label: &'a str,
    },
    /// A track was added, by either side.
    #[non_exhaustive]
    TrackAdded {
        /// Which side sends it.
        side: Side,
        /// Its id, as whoever made it has chosen it.
        id: &'a str,
        /// Its kind; `None` where it is not known.
        kind: Option<MediaKind>,
    },
    /// A track is not sent any more.
    TrackRemoved {
        /// Which side sent it.
        side: Side,
        /// Its id.
        id: &'a str,
    },
    /// The connection was looked at closely: when it became Connected, or is not any more.
    Stats {
        /// What it knew of itself.
        report: &'a StatsReport,
    },
    /// A close was begun.
    CloseStarted {
        /// Who asked.
        reason: CloseReason,
    },
    /// The connection has ended: **exactly one such event a peer**, and none before the driver and
    /// the sockets are gone (with the exception of a
    /// [stalled handler](crate::peer::ForceCause::HandlerStalled)).
    #[non_exhaustive]
    Closed {
        /// Why.
        reason: CloseReason,
        /// How.
        mode: &'a CloseMode,
        /// How long the close took; zero for a connection that ended by itself.
        took: Duration,
    },
    /// A close ended in something else than `Closed`: it timed out, failed, or cannot be
    /// confirmed.
    #[non_exhaustive]
    NotClosed {
        /// Who asked.
        reason: CloseReason,
        /// What it ended in.
        outcome: &'a Outcome,
        /// How long it took.
        took: Duration,
    },
    /// All memory of the connection is free: nobody holds anything of it any more. Before or after
    /// `Closed`; never where [`Probe::retained_by`] does not know.
    Released,
    /// A callback of the application's handler has spent its
    /// [budget](crate::PeerOptions::handler_budget) and holds the connection's driver. It goes on.
    /// Told once for each such callback; and at once where a close has to take the driver from
    /// under one.
    #[non_exhaustive]
    HandlerStalled {
        /// The callback's name.
        callback: &'static str,
        /// For how long by now.
        held: Duration,
    },
    /// A callback that was told to be stalled has returned, or was dropped with its driver: exactly
    /// one such event for each [`HandlerStalled`](Self::HandlerStalled).
    #[non_exhaustive]
    HandlerReturned {
        /// The callback's name.
        callback: &'static str,
        /// How long it held the driver.
        held: Duration,
    },
    /// A callback of the application's handler panicked. The connection lives on.
    #[non_exhaustive]
    HandlerPanicked {
        /// The callback's name.
        callback: &'static str,
        /// The panic's message.
        message: &'a str,
    },
    /// A group of tasks was made. It is empty, unless somebody was quicker than the observer.
    TaskGroupCreated {
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
        /// The tasks.
        tasks: &'a StuckTasks,
    },
    /// A call on a peer was made, or a close begun.
    #[non_exhaustive]
    OperationStarted {
        /// Its id.
        id: OperationId,
        /// Its kind: the call's name, or `close`, `close_group`, `close_all`, `shutdown`.
        operation: &'static str,
        /// What it is done to.
        target: Target<'a>,
    },
    /// A call on a peer, or a close, ended; exactly one for each start.
    #[non_exhaustive]
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
