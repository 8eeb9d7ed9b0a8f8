//! Removes secrets from texts before the texts are kept.
//!
//! ICE passwords, keys in session descriptions, TURN credentials and the tokens that the application
//! has named are always removed. Addresses are removed on request. A secret is recognised by its place (an attribute of a
//! description, or a word before the value). From then on, it is also recognised by its value in
//! any other text.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::candidate::Side;

/// The text that replaces a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Attributes whose values are secret (RFC 8839, section 5.4; RFC 4568, section 4).
const SECRET_LINES: &[&str] = &["a=ice-pwd:", "a=crypto:", "a=key-mgmt:", "k="];

/// Words that announce a secret, in lower case, with `_` in place of `-`.
const SECRET_WORDS: &[&str] = &[
    "ice_pwd",
    "pwd",
    "credential",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "bearer",
    "authorization",
    "cookie",
    "apikey",
    "api_key",
    "signature",
];

/// Words after which the rest of the line is secret.
const WHOLE_LINE: &[&str] = &["authorization", "cookie"];

/// The shortest value, in bytes, that is remembered as a secret. Shorter values occur in texts that
/// have nothing to do with the secret.
const SHORTEST_SECRET: usize = 4;
/// The longest value, in bytes, that is remembered as a secret: an ICE password has at most 256
/// characters (RFC 8839, section 5.4).
const LONGEST_SECRET: usize = 256;

/// How many ICE passwords of each side are remembered.
const PASSWORDS: usize = 4;
/// How many secrets of a configuration are remembered.
const CONFIGURED: usize = 16;

/// What is removed in addition to the secrets that are always removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// Whether IP addresses and multicast DNS names are removed.
    pub(crate) addresses: bool,
    /// Secrets that the host has named, such as access tokens.
    pub(crate) tokens: Vec<Box<str>>,
}

/// The known secrets of one connection.
#[derive(Default)]
pub(crate) struct Secrets {
    configured: Vec<Box<str>>,
    /// The latest passwords of each side. Each side has a list of its own, so that many passwords
    /// of one side cannot displace those of the other.
    passwords: [Vec<Box<str>>; 2],
}

/// Adds a secret to `known`, in place of the oldest if there are `limit` already. Values that are
/// too short or too long are ignored.
fn remember(known: &mut Vec<Box<str>>, secret: &str, limit: usize) {
    if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len()) {
        return;
    }
    known.retain(|other| **other != *secret);
    if known.len() >= limit {
        known.remove(0);
    }
    known.push(secret.into());
}

impl Secrets {
    /// No secrets.
    pub(crate) const fn none() -> &'static Self {
        static NONE: Secrets =
            Secrets { configured: Vec::new(), passwords: [Vec::new(), Vec::new()] };
        &NONE
    }

    /// Adds a secret of the configuration.
    pub(crate) fn add(&mut self, secret: &str) {
        remember(&mut self.configured, secret, CONFIGURED);
    }

    /// Adds the ICE passwords in a session description of `side`.
    pub(crate) fn add_from_sdp(&mut self, side: Side, sdp: &str) {
        let known = &mut self.passwords[usize::from(side == Side::Remote)];
        for line in sdp.lines() {
            if let Some(password) = line.trim_end().strip_prefix("a=ice-pwd:") {
                remember(known, password.trim(), PASSWORDS);
            }
        }
    }

    /// All secrets that are known by value.
    fn iter(&self) -> impl Iterator<Item = &str> {
        self.configured.iter().chain(self.passwords.iter().flatten()).map(|secret| &**secret)
    }
}

impl Redactor {
    /// Returns a session description without its secrets.
    pub(crate) fn sdp(&self, sdp: &str, secrets: &Secrets) -> String {
        let mut clean = String::with_capacity(sdp.len());
        for line in sdp.split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            match SECRET_LINES.iter().find(|prefix| content.starts_with(**prefix)) {
                Some(prefix) => {
                    clean.push_str(prefix);
                    clean.push_str(REDACTED);
                }
                None if self.addresses && !content.starts_with("a=fingerprint:") => {
                    clean.push_str(&without_addresses(content));
                }
                None => clean.push_str(content),
            }
            clean.push_str(&line[content.len()..]);
        }
        self.without_known(Cow::Owned(clean), secrets).into_owned()
    }

    /// Returns any other text without its secrets, cut to at most `limit` bytes.
    ///
    /// A text may come from the remote side and may be of any length, so only its beginning is
    /// read: `limit` bytes, and enough more that a secret across the limit is still recognised.
    pub(crate) fn text(&self, text: &str, secrets: &Secrets, limit: usize) -> Box<str> {
        let most = limit + 2 * LONGEST_SECRET;
        let start = &text[..text.floor_char_boundary(most)];
        let mut clean = self.without_known(Cow::Borrowed(start), secrets);
        if let Some(guessed) = without_secret_words(&clean) {
            clean = Cow::Owned(guessed);
        }
        if self.addresses {
            clean = Cow::Owned(without_addresses(&clean));
        }
        if start.len() < text.len() && clean.len() <= limit {
            // Redaction has shortened the text. The text after `start` must not be appended, since
            // it was not checked for secrets.
            return format!("{}{MARK}", &clean[..clean.floor_char_boundary(limit - MARK.len())])
                .into();
        }
        cut(&clean, limit)
    }

    /// Removes known secrets by their value. The longest comes first, since one secret may be a
    /// part of another.
    fn without_known<'a>(&self, mut text: Cow<'a, str>, secrets: &Secrets) -> Cow<'a, str> {
        let known = self.tokens.iter().map(|token| &**token).chain(secrets.iter());
        let mut known: Vec<_> = known.filter(|secret| text.contains(secret)).collect();
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in known {
            text = Cow::Owned(text.replace(secret, REDACTED));
        }
        text
    }

    /// Whether the value of a detail with this name is secret.
    pub(crate) fn is_secret_name(name: &str) -> bool {
        let name = name.to_ascii_lowercase().replace('-', "_");
        SECRET_WORDS.iter().any(|word| name.contains(word))
    }
}

/// The mark at the end of a text that was cut.
const MARK: &str = "…";

/// Returns at most `limit` bytes of a text, cut at a character boundary. A text that was cut ends
/// in [`MARK`].
pub(crate) fn cut(text: &str, limit: usize) -> Box<str> {
    if text.len() <= limit {
        return text.into();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(MARK.len()));
    format!("{}{MARK}", &text[..end]).into()
}

/// Whether `c` is part of a word that may announce a secret.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Removes each value that follows a word that announces a secret and a colon or an equals sign.
/// After `Bearer`, a space is enough. Returns `None` if there is no such value. The text is read in
/// a single pass.
fn without_secret_words(text: &str) -> Option<String> {
    let mut clean = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(start) = text[at..].find(is_word).map(|found| at + found) {
        let end = start + text[start..].find(|c| !is_word(c)).unwrap_or(text.len() - start);
        at = end;
        let word = text[start..end].to_ascii_lowercase().replace('-', "_");
        let Some(announces) = SECRET_WORDS.iter().find(|secret| word.contains(**secret)) else {
            continue;
        };
        let rest = &text[end..];
        // Between the word and the value: a quote that ends the name, a colon or equals sign,
        // spaces.
        let gap = rest.len() - rest.trim_start_matches(is_between).len();
        let (between, value) = rest.split_at(gap);
        if value.is_empty() || !(between.contains([':', '=']) || (word == "bearer" && gap > 0)) {
            continue;
        }
        // The next word announces a secret too, and the value belongs to that word.
        let next = value.split(|c| !is_word(c)).next().unwrap_or_default();
        let next = next.to_ascii_lowercase().replace('-', "_");
        if SECRET_WORDS.contains(&&*next) {
            continue;
        }
        let length = value_length(value, between, WHOLE_LINE.contains(announces));
        if length == 0 || value.starts_with(REDACTED) {
            continue;
        }
        clean.push_str(&text[done..end + gap]);
        clean.push_str(REDACTED);
        done = end + gap + length;
        at = done;
    }
    (done > 0).then(|| clean + &text[done..])
}

/// Whether `c` may stand between a word that announces a secret and the secret.
fn is_between(c: char) -> bool {
    matches!(c, ' ' | '\t' | ':' | '=' | '"' | '\'' | '\\')
}

/// The length of the secret at the beginning of `value`. A quoted secret ends at its quote, a
/// secret of a whole line at the end of the line, and any other at a character that ends a word in
/// headers, queries, JSON or `Debug` output.
fn value_length(value: &str, between: &str, whole_line: bool) -> usize {
    let end = match between.trim_end_matches('\\').chars().last() {
        Some(quote @ ('"' | '\'')) => value.find(quote),
        _ if whole_line => value.find(['\n', '\r']),
        _ => value.find(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '&' | ')' | ']' | '}' | '\\')
        }),
    };
    end.unwrap_or(value.len())
}

/// Removes IP addresses and multicast DNS names.
fn without_addresses(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        push_without_address(&mut clean, word);
        rest = &rest[word.len()..];
    }
    clean + rest
}

/// The longest text, in bytes, that is parsed as an IPv6 address. No address is longer.
const LONGEST_ADDRESS: usize = 64;

/// Appends `word`, which consists of letters, digits, dots, colons and dashes, without the
/// addresses in it. An address may have a port after it or a scheme before it.
fn push_without_address(clean: &mut String, word: &str) {
    let is_mdns = |text: &str| text.trim_matches('.').to_ascii_lowercase().ends_with(".local");
    if is_mdns(word.split(':').next().unwrap_or_default()) {
        clean.push_str(REDACTED);
        clean.push_str(word.find(':').map_or("", |at| &word[at..]));
        return;
    }
    let is_v6 = |text: &str| text.len() <= LONGEST_ADDRESS && text.parse::<Ipv6Addr>().is_ok();
    for (i, range) in word.split('-').enumerate() {
        if i > 0 {
            clean.push('-');
        }
        let end = range.trim_end_matches(['.', ':']);
        // An address such as `::1` begins with characters that may also be punctuation.
        if is_v6(range) || is_v6(end) || is_v6(end.trim_start_matches(['.', ':'])) {
            clean.push_str(REDACTED);
            continue;
        }
        for (i, piece) in range.split(':').enumerate() {
            if i > 0 {
                clean.push(':');
            }
            let is_v4 = piece.trim_matches('.').parse::<Ipv4Addr>().is_ok();
            clean.push_str(if is_v4 || is_mdns(piece) { REDACTED } else { piece });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        Redactor::default().text(text, Secrets::none(), 512).into_string()
    }

    #[test]
    fn an_ice_password_is_taken_out_of_a_description_and_of_any_text_after_that() {
        let sdp = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:S3cretS3cretS3cret\r\na=mid:0\r\n";
        let redactor = Redactor::default();
        assert_eq!(
            redactor.sdp(sdp, Secrets::none()),
            "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:[redacted]\r\na=mid:0\r\n"
        );
        let mut secrets = Secrets::default();
        secrets.add_from_sdp(Side::Local, sdp);
        let error = redactor.text("bad STUN key S3cretS3cretS3cret!", &secrets, 512);
        assert_eq!(&*error, "bad STUN key [redacted]!");
    }

    #[test]
    fn what_is_announced_as_a_secret_is_taken_out() {
        assert_eq!(text("Authorization: Bearer abc.def-1"), "Authorization: Bearer [redacted]");
        assert_eq!(text("GET /?token=abc&x=1"), "GET /?token=[redacted]&x=1");
        assert_eq!(
            text(r#"{"credential": "hunter2", "url": 1}"#),
            r#"{"credential": "[redacted]", "url": 1}"#
        );
        assert_eq!(text("a=ice-pwd:0123456789abcdef0123 x"), "a=ice-pwd:[redacted] x");
        assert_eq!(
            text("RTCIceServer { credential: \"x y\" }"),
            "RTCIceServer { credential: \"[redacted]\" }"
        );
        assert_eq!(text("Authorization: Basic dXNlcjpw, x"), "Authorization: [redacted]");
        assert_eq!(text("Cookie: a=1; b=2\nnext"), "Cookie: [redacted]\nnext");
        assert_eq!(text(r#"{"api-key":"a b","x":1}"#), r#"{"api-key":"[redacted]","x":1}"#);
        assert_eq!(text("token"), "token");
        assert_eq!(text("the token was refused"), "the token was refused");
        assert_eq!(text("tökén=ü password=ü, z"), "tökén=ü password=[redacted], z");
    }

    #[test]
    fn addresses_are_taken_out_on_request() {
        let redactor = Redactor { addresses: true, tokens: vec!["hush".into()] };
        for (text, clean) in [
            ("udp host 192.168.1.7:5000", "udp host [redacted]:5000"),
            ("from [fe80::1]:3478 to ::1", "from [[redacted]]:3478 to [redacted]"),
            ("turn:10.0.0.1:3478?transport=udp", "turn:[redacted]:3478?transport=udp"),
            ("8d2f-11.local 9", "[redacted] 9"),
            ("8d2f-11.local:9", "[redacted]:9"),
            ("X.LOCAL. is there", "[redacted] is there"),
            ("reach 10.0.0.1.", "reach [redacted]"),
            ("2001:db8::1: connection refused", "[redacted] connection refused"),
            ("fe80::1%eth0", "[redacted]%eth0"),
            ("10.0.0.1-10.0.0.9", "[redacted]-[redacted]"),
            ("10.0.0.1:1-10.0.0.2:2", "[redacted]:1-[redacted]:2"),
            ("version 1.2.3 at 12:30:00", "version 1.2.3 at 12:30:00"),
            ("say hush", "say [redacted]"),
        ] {
            assert_eq!(&*redactor.text(text, Secrets::none(), 512), clean);
        }
        let sdp = "c=IN IP4 10.0.0.1\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=fingerprint:sha-256 61:E4:AA:77:19:82:8B:7C\r\n";
        let clean = redactor.sdp(sdp, Secrets::none());
        assert!(!clean.contains("10.0.0.1"), "{clean}");
        assert!(clean.contains("61:E4:AA:77:19:82:8B:7C"), "{clean}");
    }

    #[test]
    fn a_text_of_any_shape_and_length_takes_no_longer_than_it_is_worth() {
        let redactor = Redactor { addresses: true, tokens: Vec::new() };
        for text in [
            "z:".repeat(40_000),
            "token ".repeat(20_000),
            "1.".repeat(40_000),
            "-".repeat(80_000),
            "::".repeat(40_000),
        ] {
            let start = std::time::Instant::now();
            let clean = redactor.text(&text, Secrets::none(), 256);
            assert!(clean.len() <= 256 && clean.ends_with('…'), "{clean}");
            let _whole = redactor.sdp(&text, Secrets::none());
            // Exponential would be centuries, quadratic minutes.
            assert!(start.elapsed().as_secs() < 10, "{:?} for {:.10}..", start.elapsed(), text);
        }
    }

    #[test]
    fn the_longest_secret_goes_first_and_no_side_drives_out_the_others() {
        let (redactor, mut secrets) = (Redactor::default(), Secrets::default());
        secrets.add("alice");
        secrets.add("alice-s3cret");
        assert_eq!(&*redactor.text("for alice-s3cret", &secrets, 99), "for [redacted]");
        let many = |from: u32| {
            (from..from + 20)
                .map(|number| format!("a=ice-pwd:password-{number}\r\n"))
                .collect::<String>()
        };
        secrets.add_from_sdp(Side::Local, "a=ice-pwd:our-own-password\r\n");
        secrets.add_from_sdp(Side::Remote, &many(0));
        let text = redactor.text("alice, our-own-password, password-19", &secrets, 99);
        assert_eq!(&*text, "[redacted], [redacted], [redacted]");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(&*cut("äöü", 6), "äöü");
        assert_eq!(&*cut("äöüß", 6), "ä…");
        assert_eq!(cut(&"x".repeat(1000), 512).len(), 512);
    }
}
