//! What a diagnosis says.

use std::fmt;

use crate::named::named;

named! {
    /// The root cause of a connection's failure.
    Cause {
        /// No remote description came, or the offer was never answered.
        NegotiationIncomplete = "negotiation_incomplete",
        /// Gathering is complete, and found nothing.
        NoLocalCandidates = "no_local_candidates",
        /// The remote side signalled no candidate, and never sent anything.
        NoRemoteCandidates = "no_remote_candidates",
        /// Every remote candidate is hidden behind a multicast DNS name.
        RemoteMdnsOnly = "remote_mdns_only",
        /// A TURN or STUN server could not be reached.
        TurnUnreachable = "turn_unreachable",
        /// A TURN server refused the credential.
        TurnAuth = "turn_auth",
        /// Only relayed candidates may be used, and there is none.
        RelayPolicyNoRelay = "relay_policy_no_relay",
        /// No local candidate can reach a remote one: other families or protocols.
        NoCompatiblePairs = "no_compatible_pairs",
        /// The remote side is in private networks only, and this one is not.
        PrivateOnly = "private_only",
        /// Checks were sent, and nothing came back.
        NoResponse = "no_response",
        /// Checks came in, and no answer to ours.
        OneWayInbound = "one_way_inbound",
        /// Checks succeeded, and no pair was nominated.
        NeverNominated = "never_nominated",
        /// ICE is up, and the DTLS handshake does not end.
        DtlsTimeout = "dtls_timeout",
        /// The certificate does not have the fingerprint that was signalled.
        DtlsFingerprint = "dtls_fingerprint",
        /// The DTLS handshake was ended by an alert.
        DtlsAlert = "dtls_alert",
        /// DTLS is up, and the SCTP association never opened.
        SctpFailed = "sctp_failed",
        /// The remote side closed.
        RemoteClosed = "remote_closed",
        /// The connection was up, and the remote side stopped answering.
        ConsentExpired = "consent_expired",
        /// The connection is up, and no media arrives.
        NoMedia = "no_media",
        /// An ICE restart was offered and not answered.
        RestartUnanswered = "restart_unanswered",
        /// The connection's driver ended: it panicked, or its executor dropped it.
        DriverEnded = "driver_ended",
        /// None of these.
        Unknown = "unknown",
    }

    /// The stage of its setup that a connection had reached when it failed.
    Stage {
        /// Descriptions were being exchanged.
        Negotiation = "negotiation",
        /// Candidates were being checked.
        Ice = "ice",
        /// The DTLS handshake was under way.
        Dtls = "dtls",
        /// It was, or had been, connected.
        Connected = "connected",
    }
}

/// Why a connection failed, or never connected.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The root cause.
    pub cause: Cause,
    /// The stage that the connection had reached.
    pub stage: Stage,
    /// How certain the cause is, from 0 to 1.
    pub confidence: f32,
    /// What the cause was inferred from.
    pub evidence: Vec<String>,
    /// What to look at next.
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
