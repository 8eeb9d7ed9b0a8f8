//! The states of a connection and of its parts, in the terms of W3C webrtc-pc.

use crate::named::named;

named! {
    /// `RTCPeerConnectionState` (W3C webrtc-pc, section 4.3.3).
    ConnectionState {
        /// No transport has been tried yet.
        New = "new",
        /// At least one transport is being established.
        Connecting = "connecting",
        /// Every transport in use is connected.
        Connected = "connected",
        /// A transport lost its connection, and may get it back.
        Disconnected = "disconnected",
        /// A transport has failed.
        Failed = "failed",
        /// The connection is closed: its driver and its sockets are gone.
        Closed = "closed",
    }

    /// `RTCIceConnectionState` (W3C webrtc-pc, section 4.3.4).
    IceConnectionState {
        /// Nothing is gathered or checked yet.
        New = "new",
        /// Candidates are being paired and checked.
        Checking = "checking",
        /// A usable pair was found; others may still be checked.
        Connected = "connected",
        /// A usable pair was found, and no other is checked any more.
        Completed = "completed",
        /// Checks fail that have succeeded before.
        Disconnected = "disconnected",
        /// No usable pair was found, or all were lost.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }

    /// `RTCIceGatheringState` (W3C webrtc-pc, section 4.3.2).
    IceGatheringState {
        /// Gathering has not begun.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// Every candidate was gathered.
        Complete = "complete",
    }

    /// `RTCSignalingState` (W3C webrtc-pc, section 4.3.1).
    SignalingState {
        /// No offer is open.
        Stable = "stable",
        /// A local offer waits for its answer.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer waits for its answer.
        HaveRemoteOffer = "have-remote-offer",
        /// A remote offer has a provisional local answer.
        HaveLocalPranswer = "have-local-pranswer",
        /// A local offer has a provisional remote answer.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    }

    /// `RTCDtlsTransportState` (W3C webrtc-pc, section 5.5.1).
    DtlsTransportState {
        /// The handshake has not begun.
        New = "new",
        /// The handshake goes on.
        Connecting = "connecting",
        /// Keys are agreed on, and the remote certificate has the fingerprint that was signalled.
        Connected = "connected",
        /// Closed by either side.
        Closed = "closed",
        /// An error ended it.
        Failed = "failed",
    }

    /// `RTCDataChannelState` (W3C webrtc-pc, section 6.2).
    DataChannelState {
        /// The transport is not ready yet.
        Connecting = "connecting",
        /// Data can be sent.
        Open = "open",
        /// The close is under way.
        Closing = "closing",
        /// Closed, or never opened.
        Closed = "closed",
    }

    /// `RTCSdpType` (W3C webrtc-pc, section 4.6.1).
    SdpType {
        /// An offer.
        Offer = "offer",
        /// A provisional answer.
        Pranswer = "pranswer",
        /// An answer.
        Answer = "answer",
        /// Takes the open offer back.
        Rollback = "rollback",
    }
}
