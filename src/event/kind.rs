//! Events and their kinds.

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

/// An event: what happened, to which peer, and when.
///
/// The parts of an event are borrowed, so an observer copies what it keeps. See
/// [`Observer`](crate::Observer) for how to receive events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The peer that the event is about. It is `None` for an operation on several peers or on an
    /// unknown peer, and for a task or a task group that belongs to no peer.
    pub peer: Option<&'a PeerId>,
    /// The time of the event, by its [clock](Self::clock). The clock is read once for each event,
    /// so all observers are given the same instant.
    pub at: Instant,
    /// The clock of the event: the clock of the peer's runtime; if the event belongs to no peer,
    /// the clock of the set or of the task group. Use this clock to compute the age of the event.
    pub clock: &'a Clock,
    /// What happened.
    pub kind: EventKind<'a>,
}

impl<'a> Event<'a> {
    /// Creates an event with the system's clock, for tests of an observer.
    #[must_use]
    pub const fn new(peer: Option<&'a PeerId>, at: Instant, kind: EventKind<'a>) -> Self {
        static SYSTEM: Clock = Clock::system();
        Self { peer, at, clock: &SYSTEM, kind }
    }
}

/// What happened, as part of an [`Event`].
///
/// ```
/// use anypeer::{Event, EventKind};
///
/// fn line(event: &Event<'_>) -> Option<String> {
///     match event.kind {
///         EventKind::ConnectionStateChanged { state } => Some(format!("is {state}")),
///         EventKind::HandlerStalled { callback, held, .. } => {
///             Some(format!("{callback} has held the driver for {held:?}"))
///         }
///         EventKind::Closed { reason, mode, .. } => Some(format!("closed: {reason}, {mode}")),
///         EventKind::NotClosed { outcome, .. } => Some(format!("not closed: {outcome}")),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// A peer was added to the set. A connection of the `webrtc` crate is usually built after this
    /// event.
    #[non_exhaustive]
    Opened {
        /// The group that the peer belongs to.
        group: Option<&'a GroupId>,
        /// A view of the peer's connection, which does not own the connection. An observer may keep
        /// a clone of it.
        probe: &'a Probe,
    },
    /// The connection's state changed. The end is reported as [`EventKind::Closed`] instead.
    ConnectionStateChanged {
        /// The new state.
        state: ConnectionState,
    },
    /// The ICE state changed.
    IceConnectionStateChanged {
        /// The new state.
        state: IceConnectionState,
    },
    /// The gathering state changed.
    IceGatheringStateChanged {
        /// The new state.
        state: IceGatheringState,
    },
    /// The signaling state changed.
    SignalingStateChanged {
        /// The new state.
        state: SignalingState,
    },
    /// The application has to negotiate the session (the `negotiationneeded` event of W3C
    /// webrtc-pc).
    NegotiationNeeded,
    /// A session description was created, or is about to be set. Setting it may still fail: the
    /// event exists so that redaction knows the ICE password from the start.
    #[non_exhaustive]
    DescriptionProposed {
        /// Whose description it is.
        side: Side,
        /// The whole description, **with its ICE password**.
        sdp: Sdp<'a>,
    },
    /// A session description was set: it is now the current or the pending description of its side.
    DescriptionSet {
        /// Whose description it is.
        side: Side,
        /// The type of the description.
        kind: SdpType,
        /// The whole description, **with its ICE password**.
        sdp: Sdp<'a>,
    },
    /// A local candidate was gathered, or a remote candidate was added. Candidates inside a remote
    /// description have no event of their own.
    CandidateAdded {
        /// Whose candidate it is.
        side: Side,
        /// The candidate.
        candidate: &'a Candidate,
    },
    /// A STUN or TURN server could not be used (`RTCPeerConnectionIceErrorEvent`). `webrtc` 0.21
    /// does not report this.
    #[non_exhaustive]
    CandidateFailed {
        /// The URL of the server.
        url: &'a str,
        /// The STUN error code; 701 if the server was not reached.
        code: u16,
        /// The text of the error.
        message: &'a str,
    },
    /// A fatal DTLS alert was sent or received during a handshake (RFC 5246, section 7.2). For each
    /// socket, at most one sent and one received alert are reported.
    #[non_exhaustive]
    DtlsAlert {
        /// The side that sent the alert.
        side: Side,
        /// The number of the alert (RFC 5246, section 7.2), such as 42 for a bad certificate.
        description: u8,
    },
    /// The configuration of the connection, with its ICE servers and its ICE transport policy. It
    /// is reported when the connection has been built, and again before a new configuration is set.
    #[non_exhaustive]
    Configured {
        /// The configuration, **with its credentials**.
        configuration: &'a Configuration,
    },
    /// A data channel was created, by either side.
    ChannelAdded {
        /// The side that created it.
        side: Side,
        /// The channel's number, which is unique in the connection. It is not the SCTP stream id.
        id: u64,
        /// The label, as chosen by the side that created the channel.
        label: &'a str,
    },
    /// A track was added, by either side.
    #[non_exhaustive]
    TrackAdded {
        /// The side that sends it.
        side: Side,
        /// The id, as chosen by the side that sends the track.
        id: &'a str,
        /// The media kind; `None` if it is not known.
        kind: Option<MediaKind>,
    },
    /// A track is no longer sent.
    TrackRemoved {
        /// The side that sent it.
        side: Side,
        /// The id of the track.
        id: &'a str,
    },
    /// Statistics were taken, because the state of the connection changed to one other than
    /// Connecting.
    Stats {
        /// The statistics.
        report: &'a StatsReport,
    },
    /// A close has begun.
    CloseStarted {
        /// The reason of the close.
        reason: CloseReason,
    },
    /// The connection has ended: its driver has ended, and its sockets are closed.
    /// [`Outcome::Closed`] describes the one exception.
    ///
    /// **There is exactly one such event per peer, if the end of the connection was observed.** The
    /// end of an adopted connection, for instance, is not observed. It is reported as
    /// [`NotClosed`](Self::NotClosed) with the outcome [`Outcome::Unconfirmed`].
    #[non_exhaustive]
    Closed {
        /// Why the connection ended.
        reason: CloseReason,
        /// How the connection ended.
        mode: &'a CloseMode,
        /// How long the close took; zero for a connection that ended by itself.
        took: Duration,
    },
    /// A close has ended, and the connection is not known to have ended: the outcome is
    /// [`Outcome::TimedOut`], [`Outcome::Failed`] or [`Outcome::Unconfirmed`].
    #[non_exhaustive]
    NotClosed {
        /// The reason of the close.
        reason: CloseReason,
        /// The outcome.
        outcome: &'a Outcome,
        /// How long the close took.
        took: Duration,
    },
    /// All memory of the connection was freed, because nobody holds any part of it any more. This
    /// is reported before or after `Closed`, and never if [`Probe::tells_release`] is false.
    Released,
    /// A callback of the application's handler has held the connection's driver for longer than its
    /// [budget](crate::PeerOptions::handler_budget). The callback is not cancelled. This is
    /// reported once for each such callback. A callback that holds up the close of the peer is
    /// reported when the close is forced, whatever its budget.
    ///
    /// The budget is watched only if an observer or a monitor is attached.
    #[non_exhaustive]
    HandlerStalled {
        /// The callback's name.
        callback: &'static str,
        /// How long the callback has held the driver.
        held: Duration,
    },
    /// A stalled callback has returned, or was dropped with the driver. There is exactly one such
    /// event for each [`HandlerStalled`](Self::HandlerStalled).
    #[non_exhaustive]
    HandlerReturned {
        /// The callback's name.
        callback: &'static str,
        /// How long the callback held the driver.
        held: Duration,
    },
    /// A callback of the application's handler panicked. The connection stays open.
    #[non_exhaustive]
    HandlerPanicked {
        /// The callback's name.
        callback: &'static str,
        /// The panic's message.
        message: &'a str,
    },
    /// A task group was created. The group may already have tasks when this is reported.
    TaskGroupCreated {
        /// A weak reference to the group.
        group: &'a WeakTaskGroup,
    },
    /// A recorded task was started.
    TaskStarted {
        /// The task.
        task: &'a TaskInfo,
    },
    /// A recorded task ended. There is exactly one such event for each start.
    TaskEnded {
        /// The task.
        task: &'a TaskInfo,
        /// How the task ended.
        end: &'a TaskEnd,
    },
    /// A close has ended, and tasks of the peer have not stopped within the timeout of the close.
    TasksStuck {
        /// The tasks.
        tasks: &'a StuckTasks,
    },
    /// A call on a peer, or a close, has begun.
    #[non_exhaustive]
    OperationStarted {
        /// The id of the operation.
        id: OperationId,
        /// The name of the call, or `close`, `close_group`, `close_all` or `shutdown`.
        operation: &'static str,
        /// The target of the operation.
        target: Target<'a>,
    },
    /// A call on a peer, or a close, has ended. There is exactly one such event for each start.
    #[non_exhaustive]
    OperationEnded {
        /// The id of the operation.
        id: OperationId,
        /// The name of the operation, as at its start.
        operation: &'static str,
        /// The target of the operation.
        target: Target<'a>,
        /// How the operation ended.
        end: OperationEnd<'a>,
        /// How long the operation took.
        took: Duration,
    },
}

/// A session description **with its ICE password**. The `Debug` output shows only its length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sdp<'a>(&'a str);

impl<'a> Sdp<'a> {
    /// Wraps the text of a description.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text of the description, **with its ICE password**.
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

/// The ICE servers of a connection, and its ICE transport policy (`RTCConfiguration`). The `Debug`
/// output shows no URL and no credential.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Configuration {
    /// The URLs of the STUN and TURN servers.
    pub ice_servers: Vec<String>,
    /// The user names and credentials for the servers, in no particular order.
    pub credentials: Vec<String>,
    /// Whether only relayed candidates are used (`iceTransportPolicy`).
    pub relay_only: bool,
}

impl Configuration {
    /// Creates a configuration without servers.
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
