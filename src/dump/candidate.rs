//! Formats candidates and ICE servers.

use crate::candidate::Candidate;
use crate::monitor::ConnectionInfo;
use crate::wire::w3c::{Configuration, IceCandidate, IceServer};

/// Stands for an address that was removed. It is a name that cannot exist (RFC 2606, section 2).
pub(super) const HIDDEN: &str = "redacted.invalid";

/// Returns the address, or [`HIDDEN`] if it is not one word, which readers require.
pub(super) fn address(known: Option<&str>) -> &str {
    known.filter(|it| !it.is_empty() && !it.contains(char::is_whitespace)).unwrap_or(HIDDEN)
}

/// Formats a candidate (RFC 8839, section 5.1). The foundation is not known, and is written as 0.
pub(super) fn ice_candidate(candidate: &Candidate) -> IceCandidate {
    let Candidate { kind, protocol, port, priority, .. } = candidate;
    let address = address(candidate.address.as_deref());
    let candidate = format!("candidate:0 1 {protocol} {priority} {address} {port} typ {kind}");
    IceCandidate { sdp_mid: None, sdp_m_line_index: None, candidate }
}

/// Returns the configuration of a connection, without credentials.
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

/// Removes a user name and a password before the host of a URL, which RFC 7065 does not allow but
/// some URLs have.
fn without_user(url: &str) -> String {
    match (url.split_once(':'), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}:{host}"),
        (None, Some((_, host))) => host.into(),
        (_, None) => url.into(),
    }
}
