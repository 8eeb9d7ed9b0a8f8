//! ICE candidates.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::named::named;

named! {
    /// A side of a connection.
    Side {
        /// The side of this process.
        Local = "local",
        /// The remote side: the other end of the connection.
        Remote = "remote",
    }

    /// `RTCIceCandidateType` (W3C webrtc-pc, section 4.8.1.4).
    CandidateType {
        /// An address of the host's own interfaces.
        Host = "host",
        /// A server-reflexive address: the address that a STUN server saw.
        Srflx = "srflx",
        /// A peer-reflexive address: the address that the remote side saw.
        Prflx = "prflx",
        /// An address that a TURN server relays for.
        Relay = "relay",
    }

    /// `RTCIceProtocol` (W3C webrtc-pc, section 4.8.1.2).
    Protocol {
        /// UDP.
        Udp = "udp",
        /// TCP (RFC 6544).
        Tcp = "tcp",
    }
}

/// From where a candidate can be reached. This stays known when the address is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Only from the same machine (`127.0.0.0/8`, `::1`).
    Loopback,
    /// Only from the same link (`169.254.0.0/16`, `fe80::/10`).
    LinkLocal,
    /// From a private network (RFC 1918, RFC 6598, RFC 4193).
    Private,
    /// From anywhere: any other IP address.
    Public,
    /// Unknown, because the address is hidden behind a multicast DNS name (`.local`).
    Mdns,
    /// Unknown, because the address is another host name.
    Name,
}

impl Scope {
    /// The scope of an IP address or a host name.
    fn of(address: &str) -> Self {
        match address.parse::<IpAddr>() {
            Ok(address) => match address.to_canonical() {
                address if address.is_loopback() => Self::Loopback,
                IpAddr::V4(v4) if v4.is_link_local() => Self::LinkLocal,
                IpAddr::V4(v4) if v4.is_private() => Self::Private,
                IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64 => {
                    Self::Private
                }
                IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80 => Self::LinkLocal,
                IpAddr::V6(v6) if v6.segments()[0] & 0xfe00 == 0xfc00 => Self::Private,
                _ => Self::Public,
            },
            Err(_) if address.ends_with(".local") => Self::Mdns,
            Err(_) => Self::Name,
        }
    }
}

/// An ICE candidate: one address at which a side of a connection may be reached.
///
/// ```
/// use anypeer::{Candidate, CandidateType, Scope};
///
/// let text = "candidate:1 1 udp 2130706431 192.168.1.7 50000 typ host";
/// let candidate: Candidate = text.parse()?;
/// assert_eq!(candidate.kind, CandidateType::Host);
/// assert_eq!(candidate.scope, Scope::Private);
/// assert_eq!(candidate.to_string(), "host udp 192.168.1.7:50000");
/// # Ok::<(), anypeer::ParseCandidateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Candidate {
    /// The type of the candidate.
    pub kind: CandidateType,
    /// The transport protocol.
    pub protocol: Protocol,
    /// The address: an IP address or a host name. `None` if addresses are redacted.
    pub address: Option<Box<str>>,
    /// The port.
    pub port: u16,
    /// The priority (RFC 8445, section 5.1.2); 0 if it is not known.
    pub priority: u32,
    /// From where the candidate can be reached.
    pub scope: Scope,
    /// Whether the address is an IPv6 address; `None` for a host name.
    pub ipv6: Option<bool>,
}

impl Candidate {
    /// Creates a candidate with priority 0. The scope and the IP version follow from `address`.
    #[must_use]
    pub fn new(kind: CandidateType, protocol: Protocol, address: &str, port: u16) -> Self {
        let ipv6 = address.parse::<IpAddr>().ok().map(|address| address.is_ipv6());
        let scope = Scope::of(address);
        Self { kind, protocol, address: Some(address.into()), port, priority: 0, scope, ipv6 }
    }

    /// Returns the candidate without its address.
    #[must_use]
    pub fn redacted(self) -> Self {
        Self { address: None, ..self }
    }

    /// Returns the candidates in a session description, in their order. Candidates that cannot be
    /// parsed are skipped.
    pub fn from_sdp(sdp: &str) -> impl Iterator<Item = Self> {
        sdp.lines()
            .filter_map(|line| line.trim_end().strip_prefix("a=candidate:"))
            .filter_map(|value| value.parse().ok())
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address.as_deref().unwrap_or("[redacted]");
        write!(f, "{} {} {address}:{}", self.kind, self.protocol, self.port)
    }
}

/// The error for a text that is not a candidate attribute (RFC 8839, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseCandidateError;

impl fmt::Display for ParseCandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a candidate attribute (RFC 8839, section 5.1)")
    }
}

impl std::error::Error for ParseCandidateError {}

/// The longest address that is accepted: a host name has at most 253 characters (RFC 1035).
const MAX_ADDRESS_BYTES: usize = 253;

/// Parses a candidate attribute (RFC 8839, section 5.1). The prefix `candidate:` is optional.
impl FromStr for Candidate {
    type Err = ParseCandidateError;

    fn from_str(text: &str) -> Result<Self, ParseCandidateError> {
        let text = text.strip_prefix("candidate:").unwrap_or(text);
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().ok_or(ParseCandidateError);
        let (_foundation, _component) = (word()?, word()?);
        let protocol = match word()? {
            udp if udp.eq_ignore_ascii_case("udp") => Protocol::Udp,
            tcp if tcp.eq_ignore_ascii_case("tcp") => Protocol::Tcp,
            _ => return Err(ParseCandidateError),
        };
        let priority = word()?.parse().map_err(|_| ParseCandidateError)?;
        let address = word()?;
        let port = word()?.parse().map_err(|_| ParseCandidateError)?;
        if word()? != "typ" || address.len() > MAX_ADDRESS_BYTES {
            return Err(ParseCandidateError);
        }
        let kind = match word()? {
            "host" => CandidateType::Host,
            "srflx" => CandidateType::Srflx,
            "prflx" => CandidateType::Prflx,
            "relay" => CandidateType::Relay,
            _ => return Err(ParseCandidateError),
        };
        Ok(Self { priority, ..Self::new(kind, protocol, address, port) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_attribute_is_read_as_the_rfc_writes_it() {
        let text = "candidate:842163049 1 udp 1677729535 203.0.113.5 44323 typ srflx raddr 10.0.0.1 rport 5";
        let candidate: Candidate = text.parse().expect("it is one");
        assert_eq!(candidate.kind, CandidateType::Srflx);
        assert_eq!((candidate.port, candidate.priority), (44323, 1_677_729_535));
        assert_eq!(candidate.scope, Scope::Public);
        assert_eq!(candidate.to_string(), "srflx udp 203.0.113.5:44323");
        assert_eq!(candidate.redacted().to_string(), "srflx udp [redacted]:44323");
    }

    #[test]
    fn what_is_no_candidate_is_refused() {
        for text in
            ["", "candidate:", "1 1 udp 1 a", "1 1 sctp 1 a 1 typ host", "1 1 udp x a 1 typ host"]
        {
            assert_eq!(text.parse::<Candidate>(), Err(ParseCandidateError), "{text:?}");
        }
        let long = format!("1 1 udp 1 {} 1 typ host", "a".repeat(254));
        assert_eq!(long.parse::<Candidate>(), Err(ParseCandidateError));
    }

    #[test]
    fn scopes_are_those_of_the_address_registries() {
        for (address, scope) in [
            ("127.0.0.1", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("::ffff:127.0.0.1", Scope::Loopback),
            ("169.254.1.1", Scope::LinkLocal),
            ("fe80::1", Scope::LinkLocal),
            ("10.1.2.3", Scope::Private),
            ("192.168.0.1", Scope::Private),
            ("100.64.0.1", Scope::Private),
            ("fd00::1", Scope::Private),
            ("100.128.0.1", Scope::Public),
            ("2001:db8::1", Scope::Public),
            ("8d2f.local", Scope::Mdns),
            ("example.org", Scope::Name),
        ] {
            assert_eq!(Scope::of(address), scope, "{address}");
        }
    }
}
