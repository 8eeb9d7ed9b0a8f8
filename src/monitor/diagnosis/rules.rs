//! The rules, one function for each stage that a connection can have reached.

use super::cause::{Cause, Diagnosis};
use super::evidence::{Evidence, HANDSHAKE_LIMIT};
use crate::candidate::{Candidate, CandidateType, Scope};
use crate::peer::CloseReason;
use crate::state::{ConnectionState, IceGatheringState, SignalingState};

/// The alerts `bad_certificate`, `unsupported_certificate` and `certificate_unknown` (RFC 5246,
/// section 7.2.2).
const BAD_CERTIFICATE: [u8; 3] = [42, 43, 46];

/// At least one of the two descriptions was not set.
pub(super) fn negotiation(
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
        "Check that the offer reaches the remote side, and that the answer comes back and is set.",
    )
}

/// Both descriptions were set, and ICE never connected.
pub(super) fn ice(
    seen: &Evidence<'_>,
    state: String,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let [local, remote] = seen.candidates;
    let checks = seen.checks.unwrap_or_default();
    let counts = || format!("{} local and {} remote candidates", local.len(), remote.len());
    let error = |codes: &[u16]| seen.candidate_errors.iter().find(|(code, _)| codes.contains(code));
    let kinds = |of: &[Candidate], kind| of.iter().any(|candidate| candidate.kind == kind);
    if seen.signaling != SignalingState::Stable {
        return verdict(
            Cause::NegotiationIncomplete,
            0.9,
            vec![format!("signaling is {} after {:?}", seen.signaling, seen.age)],
            "Check that the answer is created, and is set on both sides.",
        );
    }
    if local.is_empty() && seen.gathering == IceGatheringState::Complete {
        return verdict(
            Cause::NoLocalCandidates,
            0.95,
            vec!["gathering is complete".into(), counts()],
            "Check the addresses that the connection binds to. A wildcard address yields no loopback \
             candidates.",
        );
    }
    if remote.is_empty() && checks.requests_received == 0 {
        return verdict(
            Cause::NoRemoteCandidates,
            0.9,
            vec![counts()],
            "Check that the remote side gathers candidates, and that its candidates reach this side.",
        );
    }
    if !remote.is_empty() && remote.iter().all(|candidate| candidate.scope == Scope::Mdns) {
        return verdict(
            Cause::RemoteMdnsOnly,
            0.8,
            vec![format!("all {} remote candidates are .local names", remote.len())],
            "Let the remote side reach this side directly, or give both sides a STUN or TURN server.",
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
            vec![format!("a STUN or TURN server was not reached ({code}): {text}"), counts()],
            "Check the addresses of the STUN and TURN servers, and the firewall towards them.",
        );
    }
    if seen.relay_only && !kinds(local, CandidateType::Relay) {
        return verdict(
            Cause::RelayPolicyNoRelay,
            0.9,
            vec![
                format!("only relayed candidates may be used; ICE servers: {}", seen.servers),
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
            vec![counts(), "no local candidate has the family and protocol of a remote one".into()],
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
            vec![counts(), "all remote candidates are in private networks".into()],
            "Give the remote side a STUN or TURN server.",
        );
    }
    // `webrtc` 0.21 counts checks only for the selected pair. Without such a pair, there are none.
    match seen.checks {
        Some(checks) if checks.responses_received > 0 => verdict(
            Cause::NeverNominated,
            0.7,
            vec![format!(
                "{} checks were answered, and no pair was nominated",
                checks.responses_received
            )],
            "Check whether both sides have the same ICE role, and whether the controlling side \
             nominates.",
        ),
        Some(checks) if checks.requests_received > 0 => verdict(
            Cause::OneWayInbound,
            0.7,
            vec![format!(
                "{} checks arrived, and none of this side's checks was answered",
                checks.requests_received
            )],
            "Check that packets from this side reach the remote side: firewall rules and routes.",
        ),
        _ => {
            let received = seen.transport_packets.is_some_and(|(_, received)| received > 0);
            let evidence = vec![counts(), state];
            if received {
                verdict(
                    Cause::OneWayInbound,
                    0.5,
                    evidence,
                    "Packets arrived, but no pair was selected. Check that UDP is allowed in both \
                     directions.",
                )
            } else {
                verdict(
                    Cause::NoResponse,
                    0.6,
                    evidence,
                    "Check that UDP is allowed, and that the remote side can reach this side's \
                     candidates.",
                )
            }
        }
    }
}

/// ICE was connected, and the connection never was.
pub(super) fn dtls(
    seen: &Evidence<'_>,
    verdict: impl Fn(Cause, f32, Vec<String>, &'static str) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    let [sent, received] = seen.alerts;
    let is_certificate = |alert: Option<u8>| alert.is_some_and(|it| BAD_CERTIFICATE.contains(&it));
    let mut evidence = vec!["ICE is connected, and the DTLS handshake did not end".to_owned()];
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
            "The certificate does not match the signalled fingerprint. Check that nothing rewrites \
             descriptions, and that both belong to the same session.",
        );
    }
    if sent.is_some() || received.is_some() {
        return verdict(
            Cause::DtlsAlert,
            0.9,
            evidence,
            "Check that both sides share a DTLS version, a cipher suite and an SRTP profile.",
        );
    }
    if let Some((sent, received)) = seen.transport_packets {
        evidence.push(format!("{sent} packets were sent, and {received} were received"));
    }
    let waited = seen.since_ice >= HANDSHAKE_LIMIT;
    verdict(
        Cause::DtlsTimeout,
        if waited { 0.8 } else { 0.4 },
        evidence,
        "Check that the two sides take different DTLS roles, and that packets of 1,200 bytes get \
         through the network.",
    )
}

/// The connection was connected.
pub(super) fn connected(
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
            vec!["an ICE restart was offered and not answered".into(), state],
            "Check that signalling works while the client changes its network.",
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
            vec!["this side's connectivity checks are no longer answered".into(), state],
            "The remote side disappeared, or the network path failed.",
        );
    }
    if seen.lacks_media() {
        return verdict(
            Cause::NoMedia,
            0.8,
            vec![format!("connected for {:?} without a packet of media", seen.sampled_for)],
            "Check that the remote side sends, and that directions and payload types match.",
        );
    }
    if seen.lacks_data() {
        return verdict(
            Cause::SctpFailed,
            0.7,
            vec!["DTLS is connected, and no data channel has opened".into()],
            "Check that both sides negotiate the same SCTP port.",
        );
    }
    verdict(Cause::Unknown, 0.1, vec![state], "See the timeline of the connection.")
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
