//! Access control: hosts, origins, tokens.

use std::fmt;

use axum::http::header::{self, HeaderMap};
use axum::http::uri::Authority;
use axum::http::{HeaderName, Uri};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// A bearer token (RFC 6750), which its `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Token(Box<str>);

impl Token {
    pub(crate) fn new(token: String) -> Self {
        Self(token.into_boxed_str())
    }

    /// Whether this is the given token. The comparison takes constant time, except for the length.
    fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The permission that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// No permission: the response contains no secret.
    Nothing,
    /// The permission to read.
    Read,
    /// The permission to change something.
    Control,
}

/// The rules of access.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) token: Option<Token>,
    pub(crate) open_reads: bool,
    /// The allowed hosts, in addition to the loopback names of this machine.
    pub(crate) hosts: Vec<String>,
}

impl Access {
    /// Checks the head of a request: its host, its origin and its token.
    pub(crate) fn check(&self, need: Need, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        self.check_host(uri, headers)?;
        Self::check_origin(uri, headers)?;
        match need {
            Need::Nothing => Ok(()),
            Need::Read if self.open_reads => Ok(()),
            Need::Read | Need::Control => self.check_token(headers),
        }
    }

    /// Whether a host is allowed.
    fn knows_host(&self, host: &str) -> bool {
        // The loopback names (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3).
        let own = ["localhost", "127.0.0.1", "[::1]"];
        let named = |known: &str| known.eq_ignore_ascii_case(host);
        own.into_iter().any(named) || self.hosts.iter().any(|known| named(known))
    }

    /// Refuses requests for other hosts.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let no_host =
            || Problem::bad_request("The request must have exactly one valid `Host` header");
        let authority = authority(uri, headers).ok_or_else(no_host)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if self.knows_host(host) && has_port {
            return Ok(());
        }
        let is_valid = authority.parse::<Authority>().is_ok_and(|it| !it.host().is_empty());
        if has_port && is_valid && !authority.contains('@') {
            return Err(Problem::foreign_host(
                "The host of the request is not allowed; an operator of the server can allow it",
            ));
        }
        Err(no_host())
    }

    /// Refuses requests from pages of other origins, since there is no CORS.
    fn check_origin(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = match (origins.next(), origins.next()) {
            (None, _) => return Self::check_fetch(headers),
            (Some(origin), None) => origin.to_str().ok().and_then(|it| it.parse::<Uri>().ok()),
            (Some(_), Some(_)) => None,
        };
        let origin = origin.as_ref().filter(|it| it.scheme().is_some()).and_then(Uri::authority);
        match (origin, authority(uri, headers)) {
            (Some(origin), Some(own)) if origin.as_str().eq_ignore_ascii_case(own) => Ok(()),
            _ => Err(Problem::foreign_origin("Requests from pages of other origins are refused")),
        }
    }

    /// Refuses requests without an `Origin` that come from pages of other origins, by the headers
    /// of W3C Fetch Metadata. A navigation to a page of this server is allowed.
    fn check_fetch(headers: &HeaderMap) -> Result<(), Problem> {
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
        let is_foreign =
            headers.get(SITE).is_some_and(|site| site == "cross-site" || site == "same-site");
        if is_foreign && headers.get(MODE).is_none_or(|mode| mode != "navigate") {
            return Err(Problem::foreign_origin(
                "Requests from pages of other origins are refused",
            ));
        }
        Ok(())
    }

    /// Refuses requests without the token, if there is one.
    fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else { return Ok(()) };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|given| given.split_once(' '));
        match given {
            Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") && token.is(given) => {
                Ok(())
            }
            _ => Err(Problem::unauthorized("Send the token as `Authorization: Bearer <token>`")
                .with_header("www-authenticate", "Bearer realm=\"anypeer\"")),
        }
    }
}

/// The host that a request is for, with its port (RFC 9110, section 7.2); `None` if there is not
/// exactly one.
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, _) => Some(authority.as_str()),
        (None, Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}
