//! Checks an offer as a whole.

use super::error::{OfferError, at, whole};
use super::lines::{self, Part};
use super::sections;

/// An offer that passed the checks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer<'a> {
    /// The ICE user name fragment.
    pub(crate) fragment: &'a str,
}

/// Checks an offer.
pub(crate) fn check(sdp: &str) -> Result<Offer<'_>, OfferError> {
    let (session, sections) = lines::parts(sdp)?;
    let mids = sections::mids(&sections)?;
    let tagged = bundle(&session, &sections, &mids)?;
    let mut fragment = None;
    for section in &sections {
        sections::check(section)?;
        if !section.is_rejected() {
            // A bundle-only section uses the transport of its bundle.
            let own = if section.is_bundle_only() { tagged.unwrap_or(section) } else { section };
            let found = sections::transport(&session, own)?;
            fragment.get_or_insert(found);
        }
    }
    let fragment = fragment.ok_or_else(|| whole("has only rejected media sections"))?;
    Ok(Offer { fragment })
}

/// Checks the bundles (RFC 9143, section 7.2). Returns the section that carries the transport of
/// the first bundle.
fn bundle<'p, 'a>(
    session: &Part<'a>,
    sections: &'p [Part<'a>],
    mids: &[&'a str],
) -> Result<Option<&'p Part<'a>>, OfferError> {
    let mut bundled: Vec<&str> = Vec::new();
    for (line, group) in session.all("group") {
        for mid in group.strip_prefix("BUNDLE").into_iter().flat_map(str::split_whitespace) {
            if !mids.contains(&mid) {
                return Err(at(line, "bundles a `mid` that does not exist"));
            }
            if bundled.contains(&mid) {
                return Err(at(line, "bundles a `mid` twice"));
            }
            bundled.push(mid);
        }
    }
    let is_first = |it: &&Part<'_>| it.one("mid").map(|(_, mid)| mid) == bundled.first().copied();
    Ok(sections.iter().find(is_first).filter(|_| !bundled.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As browsers offer: media and data, one transport for all.
    fn offer() -> String {
        let print = ["5A"; 32].join(":");
        let transport = format!(
            "a=ice-ufrag:86DL\r\na=ice-pwd:JVMpjVkxDSYzcxcaDQT+KqGz\r\na=ice-options:trickle\r\n\
             a=fingerprint:sha-256 {print}\r\na=setup:actpass\r\n"
        );
        format!(
            "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
             a=group:BUNDLE 0 1\r\na=msid-semantic: WMS -\r\n\
             m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             {transport}a=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendonly\r\n\
             a=msid:- 6b4c\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n\
             a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID 1 2\r\n\
             a=ssrc:1 cname:x\r\na=ssrc:2 cname:x\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
             {transport}a=candidate:1 1 udp 2113937151 a.local 50000 typ host\r\na=mid:1\r\n\
             a=sctp-port:5000\r\na=max-message-size:262144\r\n"
        )
    }

    #[test]
    fn what_a_browser_offers_is_taken() {
        assert_eq!(check(&offer()), Ok(Offer { fragment: "86DL" }));
        // RFC 8829, section 5.2.1, `max-bundle`.
        let offer = offer();
        let (first, second) = offer.split_once("m=application").unwrap();
        let second: String = format!("m=application{second}")
            .replace("application 9", "application 0")
            .split_inclusive("\r\n")
            .filter(|line| {
                !["a=ice", "a=finger", "a=setup", "a=cand"].iter().any(|it| line.starts_with(it))
            })
            .collect();
        let max_bundle = format!("{first}{second}a=bundle-only\r\n");
        assert_eq!(check(&max_bundle), Ok(Offer { fragment: "86DL" }));
    }

    #[test]
    fn a_change_that_makes_no_sense_is_refused_and_its_line_named() {
        let offer = offer();
        for (from, to) in [
            ("v=0", "v=1"),
            ("t=0 0\r\n", ""),
            ("t=0 0", "t=0  0"),
            ("s=-\r\n", ""),
            ("IN IP4 0.0.0.0\r\n", "IN IP4\r\n"),
            ("BUNDLE 0 1", "BUNDLE 0 1 2"),
            ("BUNDLE 0 1", "BUNDLE 0 1\r\na=group:BUNDLE 0"),
            ("a=group:BUNDLE 0 1", "a=group:"),
            ("a=mid:1", "a=mid:0"),
            ("a=mid:0", "a=mid:0\r\na=mid:2"),
            ("a=setup:actpass", "a=setup:both"),
            ("a=setup:actpass", "a=setup:actpass\r\na=setup:passive"),
            ("a=ice-ufrag:86DL", "a=ice-ufrag:8"),
            ("a=ice-ufrag:86DL", "a=ice-ufrag:86DL\r\na=ice-ufrag:other"),
            ("a=ice-pwd:J", "a=ice-pwd:?"),
            ("sha-256 5A", "sha-256 5A:5A"),
            ("sha-256 5A", "sha-999 5A"),
            ("a=setup:actpass", "a=setup:actpass\r\na=fingerprint:sha-256"),
            ("candidate:1 1", "candidate:1 0"),
            ("candidate:1 1", "candidate:f!o 1"),
            ("typ host", "typ ghost"),
            ("a=rtcp-mux\r\n", ""),
            ("a=sendonly", "a=sendonly\r\na=recvonly"),
            ("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8"),
            ("a=rtpmap:96 VP8/90000\r\n", ""),
            ("a=rtpmap:97", "a=rtpmap:96 other/8000\r\na=rtpmap:97"),
            ("a=fmtp:97 apt=96", "a=fmtp:98 apt=96"),
            ("a=fmtp:97 apt=96", "a=fmtp:97"),
            ("a=rtcp-fb:96 nack pli", "a=rtcp-fb:96"),
            ("a=extmap:1 urn", "a=extmap:0 urn"),
            ("a=ssrc:1 cname:x", "a=ssrc:1"),
            ("FID 1 2", "FID x"),
            ("a=msid:- 6b4c", "a=msid:a b c"),
            ("a=rtcp:9 IN IP4", "a=rtcp:9 IN"),
            ("a=sctp-port:5000", "a=sctp-port:0"),
            ("a=sctp-port:5000", "a=sctp-port:5000\r\na=sctp-port:5001"),
            ("a=max-message-size:262144", "a=max-message-size:x"),
            ("UDP/DTLS/SCTP", "RTP/AVP"),
            ("SAVPF 96 97", "SAVPF 96 300"),
            ("a=mid:1\r\n", "a=mid:1\r\nc=IN IP4 127.0.0.1\r\n"),
            ("a=mid:1", "a=@:x"),
            ("a=mid:1", "a=b c:x"),
            ("a=mid:1", "b=:5"),
            ("a=mid:1", "hello"),
            ("a=mid:1", "a=x:\u{0}"),
        ] {
            assert!(offer.contains(from), "expected {from:?} in the offer");
            let changed = offer.replacen(from, to, 1);
            assert!(check(&changed).is_err(), "expected {to:?} for {from:?} to be refused");
        }
        let error = check(&offer.replace("a=mid:1", "a=mid: ")).unwrap_err().to_string();
        assert!(error.starts_with("The offer is not valid: line 3"), "{error}");
    }

    #[test]
    fn a_text_that_breaks_off_is_refused() {
        let offer = offer();
        let last = offer.rfind("a=sctp-port").unwrap();
        for end in 0..=last {
            assert!(check(&offer[..end]).is_err(), "expected what ends at {end} to be refused");
        }
        assert!(check(offer.trim_end()).is_err());
    }
}
