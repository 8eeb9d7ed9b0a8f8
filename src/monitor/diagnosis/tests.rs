use std::time::Duration;

use super::evidence::Evidence;
use super::{Cause, diagnose};
use crate::candidate::{Candidate, CandidateType, Protocol};
use crate::peer::CloseReason;
use crate::state::{
    ConnectionState, DtlsTransportState, IceConnectionState, IceGatheringState, SignalingState,
};
use crate::stats::CheckStats;

/// A connection that has negotiated and gathered, and has not connected within a minute.
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
        (Cause::RemoteClosed, Evidence { close: Some(CloseReason::RemoteClosed), ..connected() }),
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
