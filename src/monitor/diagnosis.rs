//! Why a connection failed, or never connected.
//!
//! Rules in their order; the first that matches wins. Where evidence is not to be had the
//! confidence is lower; nothing is guessed. With `webrtc` 0.21 the counts of connectivity checks
//! are those of the selected pair alone, candidate errors are not told, and a failed handshake is
//! seen by its alerts and by its not ending.

use std::fmt;
use std::time::Duration;

use crate::candidate::{Candidate, CandidateType, Scope};
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, DtlsTransportState, IceConnectionState, IceGatheringState, SignalingState,
};
use crate::stats::CheckStats;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// A stable lower-case name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// What a connection failed of.
    Cause {
        /// No remote description came, or the offer was never answered.
        NegotiationIncomplete = "negotiation_incomplete",
        /// Gathering is complete, and found nothing.
        NoLocalCandidates = "no_local_candidates",
        /// The remote side told no candidate, and was never heard of.
        NoRemoteCandidates = "no_remote_candidates",
        /// Every remote candidate is hidden behind a multicast DNS name.
        RemoteMdnsOnly = "remote_mdns_only",
        /// A TURN or STUN server was not reached.
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
        /// The certificate has not the fingerprint that was signalled.
        DtlsFingerprint = "dtls_fingerprint",
        /// The DTLS handshake was ended by an alert.
        DtlsAlert = "dtls_alert",
        /// DTLS is up, and the SCTP association never opened.
        SctpFailed = "sctp_failed",
        /// The remote side closed.
        RemoteClosed = "remote_closed",
        /// It was connected, and the remote side was not heard of any more.
        ConsentExpired = "consent_expired",
        /// It is connected, and no media came.
        NoMedia = "no_media",
        /// An ICE restart was offered and not answered.
        RestartUnanswered = "restart_unanswered",
        /// The connection's driver ended: it panicked, or its executor dropped it.
        DriverEnded = "driver_ended",
        /// None of these.
        Unknown = "unknown",
    }
}

named! {
    /// How far a connection had come when it failed.
    Stage {
        /// Descriptions were being exchanged.
        Negotiation = "negotiation",
        /// Candidates were being checked.
        Ice = "ice",
        /// The DTLS handshake was under way.
        Dtls = "dtls",
        /// It was connected, or had been.
        Connected = "connected",
    }
}

/// Why a connection failed, or never connected.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What it failed of.
    pub cause: Cause,
    /// How far it had come.
    pub stage: Stage,
    /// How sure that is: from 0 to 1.
    pub confidence: f32,
    /// What it was seen by.
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

/// All that the rules look at.
pub(crate) struct Evidence<'a> {
    /// Whether the connection tells its states at all: of one that does not, nothing is known.
    pub(crate) tells_state: bool,
    pub(crate) age: Duration,
    pub(crate) since_ice: Duration,
    pub(crate) state: ConnectionState,
    pub(crate) ice: IceConnectionState,
    pub(crate) gathering: IceGatheringState,
    pub(crate) signaling: SignalingState,
    pub(crate) dtls: Option<DtlsTransportState>,
    pub(crate) was_connected: bool,
    pub(crate) ice_was_connected: bool,
    pub(crate) described: [bool; 2],
    pub(crate) restarting: bool,
    pub(crate) candidates: [&'a [Candidate]; 2],
    /// STUN's error codes, with their texts.
    pub(crate) candidate_errors: &'a [(u16, Box<str>)],
    pub(crate) servers: usize,
    pub(crate) relay_only: bool,
    pub(crate) checks: Option<CheckStats>,
    pub(crate) transport_packets: Option<(u64, u64)>,
    pub(crate) alerts: [Option<u8>; 2],
    pub(crate) data_negotiated: bool,
    pub(crate) data_open: bool,
    pub(crate) media_expected: bool,
    pub(crate) media_packets: u64,
    /// How long it had been connected when it was last sampled.
    pub(crate) sampled_for: Duration,
    /// Closes that did not close it.
    pub(crate) not_closed: u64,
    pub(crate) close: Option<CloseReason>,
}

/// Negotiations that take longer than this are taken to be stuck.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(10);
/// RFC 6347 retransmits a flight after 1, 2, 4 s: a handshake that lasts longer does not end.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// Connected media that has not come by then will not.
const MEDIA_LIMIT: Duration = Duration::from_secs(15);

/// SCTP's handshake takes two round trips after DTLS's.
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);

const BAD_CERTIFICATE: [u8; 3] = [42, 43, 46];

impl Evidence<'_> {
    fn stage(&self) -> Stage {
        match self {
            Self { was_connected: true, .. } => Stage::Connected,
            Self { ice_was_connected: true, .. } => Stage::Dtls,
            Self { described: [true, true], .. } => Stage::Ice,
            _ => Stage::Negotiation,
        }
    }

    /// Whether it was closed by somebody before it had the time to connect.
    pub(crate) fn had_no_time(&self) -> bool {
        let asked = |reason: CloseReason| !reason.is_reaped() && reason != CloseReason::Ended;
        !self.was_connected && self.close.is_some_and(asked) && self.age < NEGOTIATION_LIMIT
    }

    fn lacks_media(&self) -> bool {
        self.media_expected && self.media_packets == 0 && self.sampled_for >= MEDIA_LIMIT
    }

    fn lacks_data(&self) -> bool {
        self.data_negotiated
            && !self.data_open
            && self.dtls == Some(DtlsTransportState::Connected)
            && self.sampled_for >= CHANNEL_LIMIT
    }

    /// Whether there is anything to explain: it failed, was lost, or is over without ever having
    /// been connected.
    fn needs_explaining(&self) -> bool {
        let over = self.close.is_some();
        match self.state {
            ConnectionState::Failed | ConnectionState::Disconnected => true,
            _ if self.close == Some(CloseReason::RemoteClosed) => true,
            _ if self.close.is_some_and(CloseReason::is_reaped) => true,
            _ if self.close == Some(CloseReason::Ended) => true,
            _ if !self.was_connected => over || self.age >= NEGOTIATION_LIMIT,
            _ => self.lacks_media() || self.lacks_data(),
        }
    }
}

/// The verdict on a connection; `None` while there is nothing to explain.
pub(crate) fn diagnose(seen: &Evidence<'_>) -> Option<Diagnosis> {
    if !seen.tells_state || !seen.needs_explaining() {
        return None;
    }
    let stage = seen.stage();
    let verdict = |cause, confidence: f32, evidence: Vec<String>, advice| {
        let confidence = if seen.had_no_time() { confidence / 2.0 } else { confidence };
        Some(Diagnosis { cause, stage, confidence, evidence, advice })
    };
    let state =
        format!("connection {}, ice {}, signaling {}", seen.state, seen.ice, seen.signaling);
    match seen.close {
        Some(CloseReason::RemoteClosed) if seen.was_connected || seen.alerts == [None; 2] => {
            return verdict(
                Cause::RemoteClosed,
                1.0,
                vec!["the remote side ended the DTLS transport or the SCTP association".into()],
                "Nothing is wrong here; look at the remote side for its reason.",
            );
        }
        Some(CloseReason::Ended) => {
            let mut evidence = vec!["the connection ended by itself".into(), state];
            if seen.not_closed > 0 {
                evidence.push(format!("{} closes before had not closed it", seen.not_closed));
            }
            return verdict(
                Cause::DriverEnded,
                0.9,
                evidence,
                "See how it ended: its driver panicked, or its executor was shut down under it, or \
                 the application closed the connection itself.",
            );
        }
        _ => {}
    }
    match stage {
        Stage::Negotiation => negotiation(seen, state, verdict),
        Stage::Ice => ice(seen, state, verdict),
        Stage::Dtls => dtls(seen, verdict),
        Stage::Connected => connected(seen, state, verdict),
    }
}

fn negotiation(
    seen: &Evidence<'_>,
    state: String,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let missing = match seen.described {
        [_, false] => "no remote description was set",
        _ => "no local description was set",
    };
    verdict(
        Cause::NegotiationIncomplete,
        1.0,
        vec![missing.into(), state],
        "Check that the offer reaches the other side, and that its answer comes back and is set.",
    )
}

fn ice(
    seen: &Evidence<'_>,
    state: String,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let [local, remote] = seen.candidates;
    let checks = seen.checks.unwrap_or_default();
    let counts = || format!("{} local candidates, {} remote", local.len(), remote.len());
    let error = |codes: &[u16]| seen.candidate_errors.iter().find(|(code, _)| codes.contains(code));
    let kinds = |of: &[Candidate], kind| of.iter().any(|candidate| candidate.kind == kind);
    if seen.signaling != SignalingState::Stable {
        return verdict(
            Cause::NegotiationIncomplete,
            0.9,
            vec![format!("signaling is {} after {:?}", seen.signaling, seen.age)],
            "Check that the answer is made and set on both sides.",
        );
    }
    if local.is_empty() && seen.gathering == IceGatheringState::Complete {
        return verdict(
            Cause::NoLocalCandidates,
            0.95,
            vec!["gathering is complete".into(), counts()],
            "Check the addresses that the connection binds: a wildcard gathers no loopback.",
        );
    }
    if remote.is_empty() && checks.requests_received == 0 {
        return verdict(
            Cause::NoRemoteCandidates,
            0.9,
            vec![counts()],
            "Check that the remote side gathers, and that its candidates reach this side.",
        );
    }
    if !remote.is_empty() && remote.iter().all(|candidate| candidate.scope == Scope::Mdns) {
        return verdict(
            Cause::RemoteMdnsOnly,
            0.8,
            vec![format!("all {} remote candidates are .local names", remote.len())],
            "Let the remote side reach this one directly, or give both a STUN or TURN server.",
        );
    }
    if let Some((code, text)) = error(&[401, 403, 438]) {
        return verdict(
            Cause::TurnAuth,
            0.9,
            vec![format!("a TURN server answered {code}: {text}"), counts()],
            "Check the TURN credential, and whether it has expired.",
        );
    }
    if let Some((code, text)) = error(&[701]) {
        return verdict(
            Cause::TurnUnreachable,
            0.8,
            vec![format!("a server was not reached ({code}): {text}"), counts()],
            "Check the addresses of the STUN and TURN servers, and the firewall towards them.",
        );
    }
    if seen.relay_only && !kinds(local, CandidateType::Relay) {
        return verdict(
            Cause::RelayPolicyNoRelay,
            0.9,
            vec![
                format!("only relayed candidates may be used; {} servers", seen.servers),
                counts(),
            ],
            "Configure a TURN server that can be reached, or allow other candidates.",
        );
    }
    let reaches = |local: &Candidate, remote: &Candidate| {
        local.protocol == remote.protocol
            && (local.ipv6 == remote.ipv6 || local.ipv6.is_none() || remote.ipv6.is_none())
    };
    let both = !local.is_empty() && !remote.is_empty();
    if both && !local.iter().any(|local| remote.iter().any(|remote| reaches(local, remote))) {
        return verdict(
            Cause::NoCompatiblePairs,
            0.85,
            vec![counts(), "none of them share a family and a protocol".into()],
            "Gather candidates of the same family (IPv4, IPv6) and protocol on both sides.",
        );
    }
    let private = |candidate: &Candidate| {
        candidate.kind == CandidateType::Host
            && matches!(candidate.scope, Scope::Private | Scope::LinkLocal)
    };
    let public = |candidate: &Candidate| candidate.scope == Scope::Public;
    if both && remote.iter().all(private) && local.iter().any(public) && !local.iter().any(private)
    {
        return verdict(
            Cause::PrivateOnly,
            0.75,
            vec![counts(), "the remote ones are all in private networks".into()],
            "Give the remote side a STUN or TURN server.",
        );
    }
    // Of the selected pair alone: without one there are no counts to go by.
    match seen.checks {
        Some(checks) if checks.responses_received > 0 => verdict(
            Cause::NeverNominated,
            0.7,
            vec![format!(
                "{} checks were answered, and no pair was nominated",
                checks.responses_received
            )],
            "Check for two sides of one role, and for a controlling side that does not nominate.",
        ),
        Some(checks) if checks.requests_received > 0 => verdict(
            Cause::OneWayInbound,
            0.7,
            vec![format!("{} checks came in, and no answer to ours", checks.requests_received)],
            "Check that what this side sends leaves its network: a firewall, or a wrong route.",
        ),
        _ => {
            let heard = seen.transport_packets.is_some_and(|(_, received)| received > 0);
            let evidence = vec![counts(), state];
            if heard {
                verdict(
                    Cause::OneWayInbound,
                    0.5,
                    evidence,
                    "Packets came in, and no pair was found: check both directions.",
                )
            } else {
                verdict(
                    Cause::NoResponse,
                    0.6,
                    evidence,
                    "Check that UDP passes, and that the advertised address is this host's own.",
                )
            }
        }
    }
}

fn dtls(
    seen: &Evidence<'_>,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let [sent, received] = seen.alerts;
    let is_certificate = |alert: Option<u8>| alert.is_some_and(|it| BAD_CERTIFICATE.contains(&it));
    let mut evidence = vec!["ICE connected, and the DTLS handshake did not end".to_owned()];
    if let Some(alert) = sent {
        evidence.push(format!("this side sent the alert {alert} ({})", alert_name(alert)));
    }
    if let Some(alert) = received {
        evidence.push(format!("the remote side sent the alert {alert} ({})", alert_name(alert)));
    }
    if is_certificate(sent) || is_certificate(received) {
        return verdict(
            Cause::DtlsFingerprint,
            0.95,
            evidence,
            "The certificate is not the one whose fingerprint was signalled: check that nothing \
             rewrites descriptions, and that both are of the same session.",
        );
    }
    if sent.is_some() || received.is_some() {
        return verdict(
            Cause::DtlsAlert,
            0.9,
            evidence,
            "Check that both sides share a DTLS version, a cipher and an SRTP profile.",
        );
    }
    if let Some((sent, received)) = seen.transport_packets {
        evidence.push(format!("{sent} packets were sent, and {received} received"));
    }
    let waited = seen.since_ice >= HANDSHAKE_LIMIT;
    verdict(
        Cause::DtlsTimeout,
        if waited { 0.8 } else { 0.4 },
        evidence,
        "Check that both sides take different DTLS roles, and that packets of 1,200 bytes pass.",
    )
}

fn connected(
    seen: &Evidence<'_>,
    state: String,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let lost = matches!(seen.state, ConnectionState::Disconnected | ConnectionState::Failed)
        || matches!(seen.close, Some(CloseReason::Disconnected | CloseReason::Failed));
    if lost && seen.restarting {
        return verdict(
            Cause::RestartUnanswered,
            0.85,
            vec!["an ICE restart was offered, and not answered".into(), state],
            "Check that the signaling still works while the network is away.",
        );
    }
    if lost {
        let confidence =
            if seen.state == ConnectionState::Failed || seen.close == Some(CloseReason::Failed) {
                0.9
            } else {
                0.7
            };
        return verdict(
            Cause::ConsentExpired,
            confidence,
            vec!["it was connected, and checks are not answered any more".into(), state],
            "The remote side is gone without a word, or the network between is.",
        );
    }
    if seen.lacks_media() {
        return verdict(
            Cause::NoMedia,
            0.8,
            vec![format!("connected for {:?}, and not one packet of media", seen.sampled_for)],
            "Check that the remote side sends, and that directions and payload types agree.",
        );
    }
    if seen.lacks_data() {
        return verdict(
            Cause::SctpFailed,
            0.7,
            vec!["DTLS is up, and no data channel has opened".into()],
            "Check that both sides negotiate the same SCTP port.",
        );
    }
    verdict(Cause::Unknown, 0.1, vec![state], "See the timeline.")
}

/// The name of an alert (RFC 5246, section 7.2.2).
fn alert_name(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        90 => "user_canceled",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Protocol;

    /// One that has negotiated, gathered, and come no further in a minute.
    fn checking<'a>(candidates: [&'a [Candidate]; 2]) -> Evidence<'a> {
        Evidence {
            tells_state: true,
            age: Duration::from_secs(60),
            since_ice: Duration::ZERO,
            state: ConnectionState::Failed,
            ice: IceConnectionState::Failed,
            gathering: IceGatheringState::Complete,
            signaling: SignalingState::Stable,
            dtls: None,
            was_connected: false,
            ice_was_connected: false,
            described: [true, true],
            restarting: false,
            candidates,
            candidate_errors: &[],
            servers: 0,
            relay_only: false,
            checks: None,
            transport_packets: None,
            alerts: [None, None],
            data_negotiated: true,
            data_open: false,
            media_expected: false,
            media_packets: 0,
            sampled_for: Duration::ZERO,
            not_closed: 0,
            close: None,
        }
    }

    fn host(address: &str) -> Candidate {
        Candidate::new(CandidateType::Host, Protocol::Udp, address, 5000)
    }

    fn cause(seen: &Evidence<'_>) -> Option<Cause> {
        diagnose(seen).map(|diagnosis| diagnosis.cause)
    }

    #[test]
    fn each_cause_has_its_evidence() {
        let (public, other) = ([host("203.0.113.1")], [host("203.0.113.2")]);
        let (private, mdns, v6) = ([host("10.0.0.1")], [host("8d2f.local")], [host("2001:db8::1")]);
        let both = || checking([&public, &other]);
        let checks = |requests_received, responses_received| {
            Some(CheckStats {
                requests_sent: 9,
                requests_received,
                responses_received,
                ..CheckStats::default()
            })
        };
        let text = || Box::from("refused");
        let (auth, unreachable) = ([(401, text())], [(701, text())]);
        let dtls = || Evidence {
            state: ConnectionState::Connecting,
            ice_was_connected: true,
            since_ice: Duration::from_secs(9),
            ..both()
        };
        let connected = || Evidence {
            state: ConnectionState::Connected,
            was_connected: true,
            ice_was_connected: true,
            dtls: Some(DtlsTransportState::Connected),
            data_open: true,
            sampled_for: Duration::from_secs(60),
            ..both()
        };
        let lost = || Evidence { state: ConnectionState::Failed, ..connected() };
        let cases = [
            (Cause::NegotiationIncomplete, Evidence { described: [true, false], ..both() }),
            (
                Cause::NegotiationIncomplete,
                Evidence { signaling: SignalingState::HaveLocalOffer, ..both() },
            ),
            (Cause::NoLocalCandidates, checking([&[], &other])),
            (Cause::NoRemoteCandidates, checking([&public, &[]])),
            (Cause::RemoteMdnsOnly, checking([&public, &mdns])),
            (Cause::TurnAuth, Evidence { candidate_errors: &auth, ..both() }),
            (Cause::TurnUnreachable, Evidence { candidate_errors: &unreachable, ..both() }),
            (Cause::RelayPolicyNoRelay, Evidence { relay_only: true, ..both() }),
            (Cause::NoCompatiblePairs, checking([&public, &v6])),
            (Cause::PrivateOnly, checking([&public, &private])),
            (Cause::NoResponse, both()),
            (Cause::OneWayInbound, Evidence { checks: checks(3, 0), ..both() }),
            (Cause::OneWayInbound, Evidence { transport_packets: Some((1, 1)), ..both() }),
            (Cause::NeverNominated, Evidence { checks: checks(3, 3), ..both() }),
            (Cause::DtlsTimeout, dtls()),
            (Cause::DtlsFingerprint, Evidence { alerts: [Some(42), None], ..dtls() }),
            (Cause::DtlsAlert, Evidence { alerts: [None, Some(40)], ..dtls() }),
            (Cause::SctpFailed, Evidence { data_open: false, ..connected() }),
            (
                Cause::RemoteClosed,
                Evidence { close: Some(CloseReason::RemoteClosed), ..connected() },
            ),
            (Cause::ConsentExpired, lost()),
            (Cause::NoMedia, Evidence { media_expected: true, ..connected() }),
            (Cause::RestartUnanswered, Evidence { restarting: true, ..lost() }),
            (Cause::DriverEnded, Evidence { close: Some(CloseReason::Ended), ..connected() }),
        ];
        for (expected, seen) in &cases {
            let diagnosis = diagnose(seen).unwrap_or_else(|| panic!("expected {expected}"));
            assert_eq!(diagnosis.cause, *expected, "{diagnosis}");
            assert!((0.0..=1.0).contains(&diagnosis.confidence) && !diagnosis.evidence.is_empty());
        }
        let reached = |cause: &&Cause| cases.iter().any(|(expected, _)| expected == *cause);
        let unreached: Vec<_> = Cause::ALL.iter().filter(|cause| !reached(cause)).collect();
        assert_eq!(unreached, [&Cause::Unknown], "expected every cause to be come to");
    }

    #[test]
    fn what_is_well_or_unknown_is_not_explained() {
        let (local, remote) = ([host("203.0.113.1")], [host("203.0.113.2")]);
        let well = Evidence {
            state: ConnectionState::Connected,
            was_connected: true,
            data_open: true,
            ..checking([&local, &remote])
        };
        assert_eq!(cause(&well), None);
        assert_eq!(cause(&Evidence { close: Some(CloseReason::Requested), ..well }), None);
        let young = Evidence {
            state: ConnectionState::Connecting,
            age: Duration::from_secs(1),
            ..checking([&local, &remote])
        };
        assert_eq!(cause(&young), None, "expected it to have time");
        let mute = Evidence { tells_state: false, ..checking([&local, &remote]) };
        assert_eq!(cause(&mute), None, "expected no verdict where nothing is told");
    }
}
