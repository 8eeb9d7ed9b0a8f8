//! Candidates that follow the offer (RFC 8840: `application/trickle-ice-sdpfrag`).

/// A parsed fragment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    /// The username fragment of the ICE session that the candidates belong to.
    pub(super) user: Option<&'a str>,
    /// The candidates, each with the `mid` of its section.
    pub(super) candidates: Vec<(Option<&'a str>, &'a str)>,
}

/// Parses a fragment. The error says what is wrong with the fragment.
pub(super) fn parse(text: &str) -> Result<Fragment<'_>, &'static str> {
    let mut fragment = Fragment::default();
    let mut mid = None;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.bytes().any(|byte| byte < 0x20) {
            return Err("a line has a control character");
        }
        if line.starts_with("m=") {
            mid = None;
        } else if let Some(name) = line.strip_prefix("a=mid:") {
            mid = Some(name);
        } else if let Some(user) = line.strip_prefix("a=ice-ufrag:") {
            if fragment.user.is_some_and(|known| known != user) {
                return Err("it names two ICE sessions (`ice-ufrag`)");
            }
            fragment.user = Some(user);
        } else if let Some(candidate) =
            line.strip_prefix("a=").filter(|it| it.starts_with("candidate:"))
        {
            if candidate.parse::<crate::candidate::Candidate>().is_err() {
                return Err("a candidate is malformed");
            }
            fragment.candidates.push((mid, candidate));
        } else if !line.starts_with("a=") {
            return Err("a line is neither `a=` nor `m=`");
        }
    }
    Ok(fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANDIDATE: &str = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host";

    #[test]
    fn candidates_are_of_the_section_that_they_are_in() {
        let text = format!(
            "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na={CANDIDATE}\r\na=end-of-candidates\r\n"
        );
        let fragment = parse(&text).unwrap();
        assert_eq!(fragment.user, Some("abcd"));
        assert_eq!(fragment.candidates, [(Some("0"), CANDIDATE)]);
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        for text in ["hello", "a=candidate:nonsense", "a=mid:\u{0}", "a=ice-ufrag:a\na=ice-ufrag:b"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(parse(""), Ok(Fragment::default()));
    }
}
