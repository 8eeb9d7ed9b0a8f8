//! The states of a connection and of its parts, as W3C webrtc-pc defines them.

use crate::named::named;

named! {
    /// `RTCPeerConnectionState` (W3C webrtc-pc, section 4.3.3).
    ConnectionState {
        /// No transport has started to connect.
        New = "new",
        /// At least one transport is being established.
        Connecting = "connecting",
        /// Every transport in use is connected.
        Connected = "connected",
        /// A transport has lost its connection, which may recover.
        Disconnected = "disconnected",
        /// A transport has failed.
        Failed = "failed",
        /// The connection is closed. For a connection of the `webrtc` crate, anypeer reports this
        /// only when the connection has ended; see [`Outcome::Closed`](crate::Outcome::Closed).
        Closed = "closed",
    }

    /// `RTCIceConnectionState` (W3C webrtc-pc, section 4.3.4).
    IceConnectionState {
        /// ICE is gathering candidates or waiting for remote candidates; nothing is checked yet.
        New = "new",
        /// Candidate pairs are being checked, and no usable pair was found yet.
        Checking = "checking",
        /// A usable pair was found. Other pairs may still be checked.
        Connected = "connected",
        /// A usable pair was found, and all checks are complete.
        Completed = "completed",
        /// The checks of a pair that was usable fail. The connection may recover.
        Disconnected = "disconnected",
        /// No usable pair was found, or all usable pairs were lost.
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
        /// All candidates are gathered.
        Complete = "complete",
    }

    /// `RTCSignalingState` (W3C webrtc-pc, section 4.3.1).
    SignalingState {
        /// No negotiation is in progress.
        Stable = "stable",
        /// A local offer was set and has no answer yet.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer was set and has no answer yet.
        HaveRemoteOffer = "have-remote-offer",
        /// A remote offer was set and has a provisional local answer.
        HaveLocalPranswer = "have-local-pranswer",
        /// A local offer was set and has a provisional remote answer.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    }

    /// `RTCDtlsTransportState` (W3C webrtc-pc, section 5.5.1).
    DtlsTransportState {
        /// The DTLS handshake has not started.
        New = "new",
        /// The DTLS handshake is in progress.
        Connecting = "connecting",
        /// The handshake is complete, and the remote certificate matches the signalled fingerprint.
        Connected = "connected",
        /// The transport was closed, by either side.
        Closed = "closed",
        /// The transport ended because of an error.
        Failed = "failed",
    }

    /// `RTCDataChannelState` (W3C webrtc-pc, section 6.2).
    DataChannelState {
        /// The transport of the channel is not ready yet.
        Connecting = "connecting",
        /// Data can be sent.
        Open = "open",
        /// The channel is being closed.
        Closing = "closing",
        /// The channel is closed, or could not be opened.
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
        /// A rollback, which takes an unanswered offer back.
        Rollback = "rollback",
    }
}
