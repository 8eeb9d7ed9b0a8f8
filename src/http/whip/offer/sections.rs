//! Checks of a media section.

use super::error::{OfferError, at, whole};
use super::lines::Part;
use super::values::{DIRECTIONS, MAX_CANDIDATES, extension, payload_type};

/// Returns the `mid`s of the sections, which must be unique.
pub(super) fn mids<'a>(sections: &[Part<'a>]) -> Result<Vec<&'a str>, OfferError> {
    let mut mids = Vec::new();
    for (line, mid) in sections.iter().filter_map(|section| section.one("mid")) {
        if mids.contains(&mid) {
            return Err(at(line, "repeats the `mid` of another section"));
        }
        mids.push(mid);
    }
    Ok(mids)
}

/// Checks a media section: its `m=` line and its attributes.
pub(super) fn check(section: &Part<'_>) -> Result<(), OfferError> {
    let mut fields = section.media.split(' ');
    let (kind, port, protocol) = (fields.next(), fields.next(), fields.next());
    let formats: Vec<_> = fields.collect();
    if port.and_then(|port| port.parse::<u16>().ok()).is_none() || formats.is_empty() {
        return Err(whole("has a media section without a port or a format"));
    }
    if let Some((line, _)) = section.all("candidate").nth(MAX_CANDIDATES) {
        return Err(at(line, "exceeds the limit of 256 candidates"));
    }
    let directions: Vec<_> =
        section.names().filter(|(_, name)| DIRECTIONS.contains(name)).collect();
    if let [_, (line, _), ..] = &*directions {
        return Err(at(*line, "is a second direction attribute"));
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

/// Checks a media section of audio or video.
fn rtp(section: &Part<'_>, formats: &[&str]) -> Result<(), OfferError> {
    let types: Option<Vec<u8>> = formats.iter().map(|text| payload_type(text)).collect();
    let types = types.ok_or_else(|| whole("has an invalid payload type"))?;
    let first = |value: &str| value.split(' ').next().and_then(payload_type);
    let mut mapped = Vec::new();
    for (line, value) in section.all("rtpmap") {
        let number = first(value).filter(|number| types.contains(number));
        let number =
            number.ok_or_else(|| at(line, "refers to a payload type that is not offered"))?;
        if mapped.contains(&number) {
            return Err(at(line, "maps a payload type to a second codec"));
        }
        mapped.push(number);
    }
    // RFC 3551, section 6: payload types from 35 need an `rtpmap`.
    let is_known = |number: &u8| *number < 35 || mapped.contains(number);
    if !section.is_rejected() && !types.iter().all(is_known) {
        return Err(whole("lacks an `rtpmap` for a dynamic payload type"));
    }
    for (line, value) in section.all("fmtp").chain(section.all("rtcp-fb")) {
        if !value.starts_with('*') && !first(value).is_some_and(|it| types.contains(&it)) {
            return Err(at(line, "refers to a payload type that is not offered"));
        }
    }
    let mut extensions = Vec::new();
    for (line, number) in section.all("extmap").map(|(line, value)| (line, extension(value))) {
        if extensions.contains(&number) {
            return Err(at(line, "repeats an extension number"));
        }
        extensions.push(number);
    }
    // RFC 9725, section 4.4.1. A bundle-only section uses the transport of its bundle.
    let muxed = section.one("rtcp-mux").is_some() || section.is_bundle_only();
    if !section.is_rejected() && !muxed {
        return Err(whole("has a media section without `rtcp-mux`"));
    }
    Ok(())
}

/// Checks a media section of data channels.
fn sctp(section: &Part<'_>, formats: &[&str]) -> Result<(), OfferError> {
    if formats != ["webrtc-datachannel"] {
        return Err(whole("has a data section that is not `webrtc-datachannel`"));
    }
    // There is no default port (RFC 8841, section 5).
    if section.one("sctp-port").is_none() && !section.is_rejected() {
        return Err(whole("has a data section without `sctp-port`"));
    }
    Ok(())
}

/// Checks the attributes that ICE and DTLS need. Returns the ICE user name fragment.
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
