//! What an offer has to have, before a connection is made for it.
//!
//! `webrtc` takes much for an offer that is none: a text without media, without a key, or cut off in
//! the middle. What is asked for here is what an offerer has to say (RFC 8829, section 5.2; RFC 8841;
//! RFC 8842; RFC 9725, section 4.4).

use std::fmt;

use crate::candidate::Candidate;

/// What is wrong with an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OfferError {
    reason: &'static str,
    line: Option<usize>,
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "The offer is not valid: line {line} {}", self.reason),
            None => write!(f, "The offer is not valid: it {}", self.reason),
        }
    }
}

fn whole(reason: &'static str) -> OfferError {
    OfferError { reason, line: None }
}

/// What is known of an offer that may be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer<'a> {
    /// ICE's user name fragment.
    pub(super) fragment: &'a str,
}

/// More sections than any client offers.
const MAX_SECTIONS: usize = 64;

/// The attributes of the session, or of one section.
#[derive(Default)]
struct Part<'a> {
    media: &'a str,
    lines: Vec<(usize, &'a str)>,
}

impl<'a> Part<'a> {
    /// The values of an attribute, each with its line.
    fn all(&self, name: &str) -> impl Iterator<Item = (usize, &'a str)> {
        self.lines.iter().filter_map(move |(number, line)| {
            let (key, value) =
                line.strip_prefix("a=")?.split_once(':').unwrap_or((line.strip_prefix("a=")?, ""));
            (key == name).then_some((*number, value))
        })
    }

    fn one(&self, name: &str) -> Option<(usize, &'a str)> {
        self.all(name).next()
    }

    fn is_rejected(&self) -> bool {
        self.media.split(' ').nth(1) == Some("0") && self.one("bundle-only").is_none()
    }
}

/// Checks an offer.
pub(super) fn check(sdp: &str) -> Result<Offer<'_>, OfferError> {
    let (session, sections) = parts(sdp)?;
    if sections.is_empty() {
        return Err(whole("has no media section"));
    }
    let mut fragment = None;
    let mut mids = Vec::new();
    for section in &sections {
        if let Some((line, mid)) = section.one("mid") {
            if !is_token(mid) || mids.contains(&mid) {
                return Err(OfferError { reason: "is not a mid of its own", line: Some(line) });
            }
            mids.push(mid);
        }
        check_section(section)?;
        if section.is_rejected() {
            continue;
        }
        let own = transport(&session, section)?;
        fragment.get_or_insert(own);
    }
    for (line, group) in session.all("group") {
        let mut names = group.split(' ');
        if names.next() == Some("BUNDLE") && names.any(|mid| !mids.contains(&mid)) {
            return Err(OfferError { reason: "bundles what is not there", line: Some(line) });
        }
    }
    let fragment = fragment.ok_or_else(|| whole("offers nothing"))?;
    Ok(Offer { fragment })
}

/// Takes an offer apart into lines of `<letter>=<value>` (RFC 8866, section 5).
fn parts(sdp: &str) -> Result<(Part<'_>, Vec<Part<'_>>), OfferError> {
    let text = sdp.strip_suffix('\n').ok_or_else(|| whole("does not end with a line"))?;
    let (mut session, mut sections): (Part<'_>, Vec<Part<'_>>) = Default::default();
    // The order of what a session begins with.
    let mut begin = ["v=", "o=", "s="].into_iter();
    let mut has_time = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let wrong = |reason| OfferError { reason, line: Some(number) };
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
            return Err(wrong("has a control character"));
        }
        let (Some(kind), Some(b'='), true) =
            (line.bytes().next(), line.as_bytes().get(1), line.len() > 2)
        else {
            return Err(wrong("is not `<letter>=<value>`"));
        };
        if let Some(expected) = begin.next() {
            let is_version = kind != b'v' || line == "v=0";
            let is_origin = kind != b'o' || line.split(' ').count() == 6;
            if !line.starts_with(expected) || !is_version || !is_origin {
                return Err(wrong("is not what a description begins with"));
            }
            continue;
        }
        let count = sections.len();
        match (kind, sections.last_mut()) {
            (b'm', _) if !has_time => return Err(wrong("comes before a time (`t=`)")),
            (b'm', _) if count >= MAX_SECTIONS => return Err(wrong("is too much media")),
            (b'm', _) => sections.push(Part { media: &line[2..], lines: Vec::new() }),
            (b'i' | b'c' | b'b' | b'k' | b'a', Some(section)) => section.lines.push((number, line)),
            (b't', None) => has_time = true,
            (b'i' | b'u' | b'e' | b'p' | b'c' | b'b' | b'r' | b'z' | b'k' | b'a', None) => {
                session.lines.push((number, line));
            }
            _ => return Err(wrong("is of no known kind here")),
        }
        if kind == b'a' && line.strip_prefix("a=").is_none_or(|it| it.starts_with([':', ' '])) {
            return Err(wrong("names no attribute"));
        }
    }
    Ok((session, sections))
}

/// Checks `m=` and what belongs to it.
fn check_section(section: &Part<'_>) -> Result<(), OfferError> {
    let mut fields = section.media.split(' ');
    let (kind, port, protocol) = (fields.next(), fields.next(), fields.next());
    let formats: Vec<_> = fields.collect();
    if port.and_then(|port| port.parse::<u16>().ok()).is_none() || formats.is_empty() {
        return Err(whole("has a media section without a port or a format"));
    }
    match (kind, protocol) {
        (Some("audio" | "video"), Some("UDP/TLS/RTP/SAVPF" | "UDP/TLS/RTP/SAVP")) => {
            rtp(section, &formats)
        }
        (Some("application"), Some("UDP/DTLS/SCTP" | "TCP/DTLS/SCTP" | "DTLS/SCTP")) => {
            sctp(section, &formats)
        }
        _ => Err(whole("has a media section that is neither audio, video nor data over DTLS")),
    }
}

fn rtp(section: &Part<'_>, formats: &[&str]) -> Result<(), OfferError> {
    let payload = |text: &str| text.parse::<u8>().ok().filter(|number| *number < 128);
    let types: Option<Vec<u8>> = formats.iter().map(|text| payload(text)).collect();
    let types = types.ok_or_else(|| whole("has a payload type that is none"))?;
    let mut mapped = Vec::new();
    for (line, map) in section.all("rtpmap") {
        let wrong =
            || OfferError { reason: "is not a codec (`<type> <name>/<rate>`)", line: Some(line) };
        let (number, codec) = map.split_once(' ').ok_or_else(wrong)?;
        let mut codec = codec.split('/');
        let named = codec.next().is_some_and(is_token);
        let rated = codec.next().is_some_and(|rate| rate.parse::<u32>().is_ok_and(|rate| rate > 0));
        let number = payload(number).filter(|it| named && rated && types.contains(it));
        mapped.push(number.ok_or_else(wrong)?);
    }
    // RFC 3551, section 6: dynamic types mean nothing by themselves.
    let is_known = |number: &u8| *number < 35 || mapped.contains(number);
    if !section.is_rejected() && !types.iter().all(is_known) {
        return Err(whole("does not say what a payload type is"));
    }
    for name in ["fmtp", "rtcp-fb"] {
        for (line, value) in section.all(name) {
            let first = value.split(' ').next().unwrap_or_default();
            let known = first == "*" && name == "rtcp-fb"
                || payload(first).is_some_and(|it| types.contains(&it));
            if !known {
                return Err(OfferError {
                    reason: "is of no payload type that is offered",
                    line: Some(line),
                });
            }
        }
    }
    for (line, value) in section.all("extmap") {
        let mut fields = value.split(' ');
        let id = fields.next().and_then(|id| id.split('/').next()?.parse::<u16>().ok());
        let uri = fields.next().is_some_and(|uri| uri.contains(':'));
        if !id.is_some_and(|id| (1..=255).contains(&id)) || !uri {
            return Err(OfferError {
                reason: "is not an extension (`<id> <uri>`)",
                line: Some(line),
            });
        }
    }
    for (line, value) in section.all("ssrc") {
        if value.split(' ').next().is_none_or(|id| id.parse::<u32>().is_err()) {
            return Err(OfferError { reason: "names no source", line: Some(line) });
        }
    }
    // RFC 9725, section 4.4.1.
    if !section.is_rejected() && section.one("rtcp-mux").is_none() {
        return Err(whole("has media without `rtcp-mux`"));
    }
    Ok(())
}

fn sctp(section: &Part<'_>, formats: &[&str]) -> Result<(), OfferError> {
    if formats != ["webrtc-datachannel"] {
        return Err(whole("has data that is not of data channels"));
    }
    // RFC 8841, section 5: there is no default.
    match section.one("sctp-port") {
        Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => {}
        _ if section.is_rejected() => {}
        _ => return Err(whole("has data without a valid `sctp-port`")),
    }
    match section.one("max-message-size") {
        Some((line, size)) if size.parse::<u64>().is_err() => {
            Err(OfferError { reason: "is not a size", line: Some(line) })
        }
        _ => Ok(()),
    }
}

/// Checks ICE and DTLS; the answer is the user name fragment.
fn transport<'a>(session: &Part<'a>, section: &Part<'a>) -> Result<&'a str, OfferError> {
    let find = |name: &str| section.one(name).or_else(|| session.one(name));
    let credential = |name: &'static str, least, missing: &'static str| {
        let (line, value) = find(name).ok_or_else(|| whole(missing))?;
        // RFC 8839, section 5.4: 6 bits a character.
        let is_ice =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        if (least..=256).contains(&value.len()) && value.bytes().all(is_ice) {
            Ok(value)
        } else {
            Err(OfferError { reason: "is not a credential of ICE", line: Some(line) })
        }
    };
    let fragment = credential("ice-ufrag", 4, "has no `ice-ufrag`")?;
    credential("ice-pwd", 22, "has no `ice-pwd`")?;
    let (line, print) = find("fingerprint").ok_or_else(|| whole("has no `fingerprint`"))?;
    if !is_fingerprint(print) {
        return Err(OfferError { reason: "is not a fingerprint", line: Some(line) });
    }
    match find("setup") {
        Some((_, "actpass" | "active" | "passive")) => {}
        Some((line, _)) => {
            return Err(OfferError { reason: "is no role in a setup", line: Some(line) });
        }
        None => return Err(whole("has no `setup`")),
    }
    for (line, text) in section.all("candidate") {
        if format!("candidate:{text}").parse::<Candidate>().is_err() {
            return Err(OfferError { reason: "is not a candidate", line: Some(line) });
        }
    }
    Ok(fragment)
}

/// RFC 8122, section 5: a hash function, and as many bytes as it has.
fn is_fingerprint(text: &str) -> bool {
    let Some((function, bytes)) = text.split_once(' ') else { return false };
    let length = match function.to_ascii_lowercase().as_str() {
        "sha-1" => 20,
        "sha-224" => 28,
        "sha-256" => 32,
        "sha-384" => 48,
        "sha-512" => 64,
        _ => return false,
    };
    let is_byte =
        |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    bytes.split(':').count() == length && bytes.split(':').all(is_byte)
}

/// RFC 8866, section 9: `token`.
fn is_token(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_one)
}
