//! What a section has to have.

use super::error::{OfferError, at, whole};
use super::lines::Part;
use super::values::{DIRECTIONS, MAX_CANDIDATES, extension, payload_type};

/// The names of the sections, each of its own.
pub(super) fn mids<'a>(sections: &[Part<'a>]) -> Result<Vec<&'a str>, OfferError> {
    let mut mids = Vec::new();
    for (line, mid) in sections.iter().filter_map(|section| section.one("mid")) {
        if mids.contains(&mid) {
            return Err(at(line, "is the `mid` of another section"));
        }
        mids.push(mid);
    }
    Ok(mids)
}

/// Checks `m=` and what belongs to it.
pub(super) fn check(section: &Part<'_>) -> Result<(), OfferError> {
    let mut fields = section.media.split(' ');
    let (kind, port, protocol) = (fields.next(), fields.next(), fields.next());
    let formats: Vec<_> = fields.collect();
    if port.and_then(|port| port.parse::<u16>().ok()).is_none() || formats.is_empty() {
        return Err(whole("has a media section without a port or a format"));
    }
    if let Some((line, _)) = section.all("candidate").nth(MAX_CANDIDATES) {
        return Err(at(line, "is one candidate too many"));
    }
    let directions: Vec<_> =
        section.names().filter(|(_, name)| DIRECTIONS.contains(name)).collect();
    if let [_, (line, _), ..] = &*directions {
        return Err(at(*line, "is a second direction"));
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
    let types: Option<Vec<u8>> = formats.iter().map(|text| payload_type(text)).collect();
    let types = types.ok_or_else(|| whole("has a payload type that is none"))?;
    let first = |value: &str| value.split(' ').next().and_then(payload_type);
    let mut mapped = Vec::new();
    for (line, value) in section.all("rtpmap") {
        let number = first(value).filter(|number| types.contains(number));
        let number = number.ok_or_else(|| at(line, "is of no payload type that is offered"))?;
        if mapped.contains(&number) {
            return Err(at(line, "is a second codec for a payload type"));
        }
        mapped.push(number);
    }
    // RFC 3551, section 6: others mean nothing by themselves.
    let is_known = |number: &u8| *number < 35 || mapped.contains(number);
    if !section.is_rejected() && !types.iter().all(is_known) {
        return Err(whole("does not say what a payload type is"));
    }
    for (line, value) in section.all("fmtp").chain(section.all("rtcp-fb")) {
        if !value.starts_with('*') && !first(value).is_some_and(|it| types.contains(&it)) {
            return Err(at(line, "is of no payload type that is offered"));
        }
    }
    let mut extensions = Vec::new();
    for (line, number) in section.all("extmap").map(|(line, value)| (line, extension(value))) {
        if extensions.contains(&number) {
            return Err(at(line, "is a second extension of its number"));
        }
        extensions.push(number);
    }
    // RFC 9725, section 4.4.1; what is only bundled has it where the bundle has it.
    let muxed = section.one("rtcp-mux").is_some() || section.is_bundle_only();
    if !section.is_rejected() && !muxed {
        return Err(whole("has media without `rtcp-mux`"));
    }
    Ok(())
}

fn sctp(section: &Part<'_>, formats: &[&str]) -> Result<(), OfferError> {
    if formats != ["webrtc-datachannel"] {
        return Err(whole("has data that is not of data channels"));
    }
    // RFC 8841, section 5: there is no default.
    if section.one("sctp-port").is_none() && !section.is_rejected() {
        return Err(whole("has data without `sctp-port`"));
    }
    Ok(())
}

/// Checks that ICE and DTLS have what they need; the answer is the user name fragment.
pub(super) fn transport<'a>(session: &Part<'a>, section: &Part<'a>) -> Result<&'a str, OfferError> {
    let find = |name| section.one(name).or_else(|| session.one(name));
    for (name, missing) in [
        ("ice-pwd", "has no `ice-pwd`"),
        ("fingerprint", "has no `fingerprint`"),
        ("setup", "has no `setup`"),
    ] {
        find(name).ok_or_else(|| whole(missing))?;
    }
    find("ice-ufrag").map(|(_, value)| value).ok_or_else(|| whole("has no `ice-ufrag`"))
}
