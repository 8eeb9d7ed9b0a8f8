//! Taking secrets out of texts, before anything keeps them.
//!
//! Always: ICE passwords, keys in descriptions, TURN credentials, tokens. On request: addresses.
//! A secret is known by its place (an attribute of a description, a word before it), and from then
//! on by its value, wherever that turns up.

use std::borrow::Cow;
use std::net::IpAddr;

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// Attributes whose values are secret (RFC 8839, section 5.4; RFC 4568, section 4).
const SECRET_LINES: &[&str] = &["a=ice-pwd:", "a=crypto:", "a=key-mgmt:", "k="];

/// Words after which a secret comes, in lower case.
const SECRET_WORDS: &[&str] = &[
    "ice-pwd",
    "credential",
    "password",
    "passwd",
    "secret",
    "token",
    "bearer",
    "authorization",
    "apikey",
    "api-key",
    "api_key",
];

/// A shorter value is taken for no secret: it would turn up everywhere.
const SHORTEST_SECRET: usize = 4;

/// So many secrets of one connection are known by value.
const MAX_SECRETS: usize = 16;

/// What is taken out besides what always is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    pub(crate) addresses: bool,
    /// Known to the host: access tokens, and the like.
    pub(crate) tokens: Vec<Box<str>>,
}

/// The secrets of one connection.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Box<str>>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        let known = self.0.iter().any(|known| **known == *secret);
        if secret.len() >= SHORTEST_SECRET && !known {
            // The last ones are those that are in use.
            if self.0.len() >= MAX_SECRETS {
                self.0.remove(0);
            }
            self.0.push(secret.into());
        }
    }

    /// Those of a description.
    pub(crate) fn add_of_sdp(&mut self, sdp: &str) {
        for line in sdp.lines() {
            if let Some(password) = line.trim_end().strip_prefix("a=ice-pwd:") {
                self.add(password.trim());
            }
        }
    }
}

impl Redactor {
    /// A session description without its secrets.
    pub(crate) fn sdp(&self, sdp: &str) -> String {
        let mut clean = String::with_capacity(sdp.len());
        for line in sdp.split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            match SECRET_LINES.iter().find(|prefix| content.starts_with(**prefix)) {
                Some(prefix) => {
                    clean.push_str(prefix);
                    clean.push_str(REDACTED);
                }
                None if self.addresses => clean.push_str(&without_addresses(content)),
                None => clean.push_str(content),
            }
            clean.push_str(&line[content.len()..]);
        }
        clean
    }

    /// Any other text without secrets, and not longer than `limit` bytes.
    pub(crate) fn text(&self, text: &str, secrets: &Secrets, limit: usize) -> Box<str> {
        let mut clean = Cow::Borrowed(text);
        for secret in self.tokens.iter().chain(&secrets.0) {
            if clean.contains(&**secret) {
                clean = Cow::Owned(clean.replace(&**secret, REDACTED));
            }
        }
        if let Some(guessed) = without_secret_words(&clean) {
            clean = Cow::Owned(guessed);
        }
        if self.addresses {
            clean = Cow::Owned(without_addresses(&clean));
        }
        cut(&clean, limit)
    }

    /// Whether the value of a detail of this name is secret.
    pub(crate) fn is_secret_name(name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        SECRET_WORDS.iter().any(|word| name.contains(word))
    }
}

/// At most `limit` bytes of a text, on a character's boundary; one that was cut says so.
pub(crate) fn cut(text: &str, limit: usize) -> Box<str> {
    const MARK: &str = "…";
    if text.len() <= limit {
        return text.into();
    }
    let mut end = limit.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &text[..end]).into()
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | '(' | '[' | '{' | '\\')
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '&' | ')' | ']' | '}' | '\\')
}

/// Takes out what comes after a word that announces a secret and a colon, an equals sign or, after
/// `Bearer`, a space.
fn without_secret_words(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut clean = String::new();
    let mut done = 0;
    let mut at = 0;
    while at < text.len() {
        let Some((start, word)) = SECRET_WORDS
            .iter()
            .filter_map(|word| lower[at..].find(word).map(|found| (at + found, *word)))
            .min()
        else {
            break;
        };
        let after = start + word.len();
        // The rest of the word, as in `credentials` or `token_id`.
        let tail = text[after..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let tail = after + tail.unwrap_or(text.len() - after);
        let gap = text[tail..].find(|c: char| !is_separator(c)).unwrap_or(text.len() - tail);
        let (value, gap_text) = (tail + gap, &text[tail..tail + gap]);
        let announces = gap_text.contains([':', '=']) || (word == "bearer" && !gap_text.is_empty());
        let end = value + text[value..].find(ends_value).unwrap_or(text.len() - value);
        at = tail.max(at + 1);
        // Another of the words comes next: it is that one's value that counts.
        let nested = SECRET_WORDS.iter().any(|word| lower[value..end].starts_with(word));
        if announces && !nested && end > value && &text[value..end] != REDACTED {
            clean.push_str(&text[done..value]);
            clean.push_str(REDACTED);
            done = end;
            at = end;
        }
        while at < text.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
    (done > 0).then(|| clean + &text[done..])
}

/// Takes out IP addresses, and names of multicast DNS.
fn without_addresses(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '%');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        clean.push_str(&word_without_address(word));
        rest = &rest[word.len()..];
    }
    clean + rest
}

fn word_without_address(word: &str) -> Cow<'_, str> {
    let is_address =
        |text: &str| text.parse::<IpAddr>().is_ok() || (text.len() > 6 && text.ends_with(".local"));
    if is_address(word) {
        return REDACTED.into();
    }
    // With a port after it, or a scheme before it.
    for (at, _) in word.match_indices(':') {
        let (before, after) = (&word[..at], &word[at + 1..]);
        if is_address(before) && before.contains('.') {
            return format!("{REDACTED}:{after}").into();
        }
        if after.contains('.') || after.contains(':') {
            let clean = word_without_address(after);
            if clean != after {
                return format!("{before}:{clean}").into();
            }
        }
    }
    word.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        Redactor::default().text(text, &Secrets::default(), 512).into_string()
    }

    #[test]
    fn an_ice_password_is_taken_out_of_a_description_and_of_any_text_after_that() {
        let sdp = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:S3cretS3cretS3cret\r\na=mid:0\r\n";
        let redactor = Redactor::default();
        assert_eq!(
            redactor.sdp(sdp),
            "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:[redacted]\r\na=mid:0\r\n"
        );
        let mut secrets = Secrets::default();
        secrets.add_of_sdp(sdp);
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
            "RTCIceServer { credential: \"[redacted] y\" }"
        );
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
            ("version 1.2.3 at 12:30:00", "version 1.2.3 at 12:30:00"),
            ("say hush", "say [redacted]"),
        ] {
            assert_eq!(&*redactor.text(text, &Secrets::default(), 512), clean);
        }
        let sdp =
            redactor.sdp("c=IN IP4 10.0.0.1\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n");
        assert!(!sdp.contains("10.0.0.1"), "{sdp}");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(&*cut("äöü", 6), "äöü");
        assert_eq!(&*cut("äöüß", 6), "ä…");
        assert_eq!(cut(&"x".repeat(1000), 512).len(), 512);
    }
}
