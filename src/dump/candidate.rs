//! Candidates and servers as texts.

use crate::candidate::Candidate;
use crate::monitor::ConnectionInfo;
use crate::wire::w3c::{Configuration, IceCandidate, IceServer};

/// Stands for an address that is not told: a name that nobody can have (RFC 2606, section 2).
pub(super) const HIDDEN: &str = "redacted.invalid";

/// An address that is one word, as readers want it.
pub(super) fn address(known: Option<&str>) -> &str {
    known.filter(|it| !it.is_empty() && !it.contains(char::is_whitespace)).unwrap_or(HIDDEN)
}

/// As RFC 8839, section 5.1, writes it. The foundation is not known.
pub(super) fn ice_candidate(candidate: &Candidate) -> IceCandidate {
    let Candidate { kind, protocol, port, priority, .. } = candidate;
    let address = address(candidate.address.as_deref());
    let candidate = format!("candidate:0 1 {protocol} {priority} {address} {port} typ {kind}");
    IceCandidate { sdp_mid: None, sdp_m_line_index: None, candidate }
}

pub(super) fn configuration(info: &ConnectionInfo) -> Configuration {
    Configuration {
        ice_servers: info
            .ice_servers
            .iter()
            .map(|url| IceServer { urls: vec![without_user(url)] })
            .collect(),
        ice_transport_policy: if info.relay_only { "relay" } else { "all" },
    }
}

/// A URL without a name and a password before its host, where some write them against RFC 7065.
fn without_user(url: &str) -> String {
    match (url.split_once(':'), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}:{host}"),
        (None, Some((_, host))) => host.into(),
        (_, None) => url.into(),
    }
}
