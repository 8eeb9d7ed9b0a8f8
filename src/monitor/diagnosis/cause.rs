//! `Diagnosis`: cause, stage, confidence, evidence and advice.

use std::fmt;

use crate::named::named;

named! {
    /// The root cause of a connection's failure.
    Cause {
        /// No remote description arrived, or the offer was never answered.
        NegotiationIncomplete = "negotiation_incomplete",
        /// Gathering is complete, and no candidate was found.
        NoLocalCandidates = "no_local_candidates",
        /// The remote side signalled no candidate, and no connectivity check arrived.
        NoRemoteCandidates = "no_remote_candidates",
        /// Every remote candidate is hidden behind a multicast DNS name.
        RemoteMdnsOnly = "remote_mdns_only",
        /// A TURN or STUN server could not be reached. `webrtc` 0.21 does not report this.
        TurnUnreachable = "turn_unreachable",
        /// A TURN server refused the credential. `webrtc` 0.21 does not report this.
        TurnAuth = "turn_auth",
        /// Only relayed candidates may be used, and none was gathered.
        RelayPolicyNoRelay = "relay_policy_no_relay",
        /// No local candidate has the address family and the protocol of a remote one.
        NoCompatiblePairs = "no_compatible_pairs",
        /// The remote side has only private addresses, and this side has none.
        PrivateOnly = "private_only",
        /// Connectivity checks were sent, and nothing came back.
        NoResponse = "no_response",
        /// Connectivity checks arrived, and none of this side's checks was answered.
        OneWayInbound = "one_way_inbound",
        /// Connectivity checks succeeded, and no pair was nominated.
        NeverNominated = "never_nominated",
        /// ICE is connected, and the DTLS handshake does not end.
        DtlsTimeout = "dtls_timeout",
        /// The certificate does not match the signalled fingerprint.
        DtlsFingerprint = "dtls_fingerprint",
        /// An alert ended the DTLS handshake.
        DtlsAlert = "dtls_alert",
        /// DTLS is connected, and the SCTP association never opened.
        SctpFailed = "sctp_failed",
        /// The remote side closed the connection.
        RemoteClosed = "remote_closed",
        /// The connection was connected, and the remote side stopped answering.
        ConsentExpired = "consent_expired",
        /// The connection is connected, and no media arrives.
        NoMedia = "no_media",
        /// An ICE restart was offered and not answered.
        RestartUnanswered = "restart_unanswered",
        /// The connection's driver ended: it panicked, or its executor dropped it.
        DriverEnded = "driver_ended",
        /// None of the other causes.
        Unknown = "unknown",
    }

    /// The stage of its setup that a connection had reached when it failed.
    Stage {
        /// Descriptions were being exchanged.
        Negotiation = "negotiation",
        /// Candidates were being checked.
        Ice = "ice",
        /// The DTLS handshake was in progress.
        Dtls = "dtls",
        /// The connection was connected, or had been.
        Connected = "connected",
    }
}

/// The reason why a connection failed, was lost, or never connected; see
/// [`ConnectionInfo::diagnosis`](crate::monitor::ConnectionInfo::diagnosis).
///
/// A diagnosis is inferred from what the monitor has seen of the connection, so it may be wrong.
/// Its [`Display`](fmt::Display) has one line for the cause, one for each piece of evidence, and
/// one for the advice.
///
/// ```
/// use anypeer::monitor::{Cause, Monitor};
///
/// let monitor = Monitor::new()?;
/// // .. Peers of the sets that the monitor watches come and go.
/// for connection in monitor.closed() {
///     match &connection.diagnosis {
///         None => {} // Nothing was wrong.
///         Some(diagnosis) if diagnosis.cause == Cause::RemoteClosed => {}
///         Some(diagnosis) => println!("{}: {diagnosis}", connection.id),
///     }
/// }
/// # Ok::<(), anypeer::runtime::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The root cause.
    pub cause: Cause,
    /// The stage that the connection had reached.
    pub stage: Stage,
    /// How certain the cause is, from 0 to 1. It is halved if the application closed the connection
    /// within 10 s, before it had connected.
    pub confidence: f32,
    /// The facts that the cause was inferred from.
    pub evidence: Vec<String>,
    /// What to check next.
    pub advice: &'static str,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({:.0} %)", self.cause, self.stage, self.confidence * 100.0)?;
        for evidence in &self.evidence {
            write!(f, "\n  {evidence}")?;
        }
        write!(f, "\n  {}", self.advice)
    }
}
