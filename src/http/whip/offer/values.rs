//! Checks of the values of lines and attributes.

use crate::candidate::Candidate;

/// The limit of candidates in a media section, and of candidates that follow the offer. It is more
/// than any client has.
pub(crate) const MAX_CANDIDATES: usize = 256;

/// Attributes that must be unique in a part.
pub(super) const UNIQUE: [&str; 8] =
    ["ice-pwd", "ice-ufrag", "max-message-size", "mid", "rtcp", "rtcp-mux", "sctp-port", "setup"];

/// Direction attributes, of which a part has at most one.
pub(super) const DIRECTIONS: [&str; 4] = ["inactive", "recvonly", "sendonly", "sendrecv"];

/// Whether a line of this type may have this value (RFC 8866, section 5).
pub(super) fn is_line(kind: char, value: &str) -> bool {
    let fields: Vec<_> = value.split(' ').collect();
    match (kind, &*fields) {
        ('v', _) => value == "0",
        ('o', [name, id, version, network @ ..]) => {
            !name.is_empty() && is_number(id) && is_number(version) && is_address(network)
        }
        ('c', network) => is_address(network),
        ('t', [start, end]) => is_number(start) && is_number(end),
        ('b', [width]) => {
            width.split_once(':').is_some_and(|(kind, bits)| is_token(kind) && is_number(bits))
        }
        ('o' | 't' | 'b', _) => false,
        _ => !value.is_empty(),
    }
}

/// Whether an attribute may have this value. Attributes that are not listed may have any value.
pub(super) fn is_attribute(name: &str, value: &str) -> bool {
    let mut fields = value.split(' ');
    match name {
        // RFC 5888, sections 4 and 5.
        "mid" => is_token(value),
        "group" => fields.all(is_token),
        // RFC 8839, section 5.4: at least 24 and 128 random bits, with 6 bits in each character.
        "ice-ufrag" => (4..=256).contains(&value.len()) && value.bytes().all(is_ice),
        "ice-pwd" => (22..=256).contains(&value.len()) && value.bytes().all(is_ice),
        "fingerprint" => is_fingerprint(value),
        "setup" => matches!(value, "actpass" | "active" | "passive"),
        "candidate" => is_candidate(value),
        // RFC 8841, sections 5 and 6.
        "sctp-port" => value.parse::<u16>().is_ok_and(|port| port > 0),
        "max-message-size" => is_number(value),
        "rtpmap" => is_codec(value),
        "fmtp" => value.split_once(' ').is_some_and(|(number, rest)| {
            payload_type(number).is_some() && !rest.trim().is_empty()
        }),
        "rtcp-fb" => value.split_once(' ').is_some_and(|(number, rest)| {
            (number == "*" || payload_type(number).is_some()) && !rest.trim().is_empty()
        }),
        "extmap" => is_extension(value),
        // RFC 5576, section 4.
        "ssrc" => value
            .split_once(' ')
            .is_some_and(|(source, rest)| is_source(source) && !rest.trim().is_empty()),
        "ssrc-group" => {
            let (named, mut sources) = (fields.next().is_some_and(is_token), fields.peekable());
            named && sources.peek().is_some() && sources.all(is_source)
        }
        // RFC 8830, section 2.
        "msid" => {
            let fields: Vec<_> = fields.collect();
            fields.len() <= 2 && fields.iter().all(|it| it.len() <= 64 && is_token(it))
        }
        // RFC 3605, section 2.1.
        "rtcp" => {
            let (port, rest) = value.split_once(' ').map_or((value, None), |(a, b)| (a, Some(b)));
            let is_elsewhere = |rest: &str| is_address(&rest.split(' ').collect::<Vec<_>>());
            port.parse::<u16>().is_ok() && rest.is_none_or(is_elsewhere)
        }
        "rtcp-mux" | "bundle-only" | "sendrecv" | "sendonly" | "recvonly" | "inactive" => {
            value.is_empty()
        }
        _ => true,
    }
}

/// Whether a text is a `token` (RFC 8866, section 9).
pub(super) fn is_token(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    !text.is_empty() && text.len() <= 256 && text.bytes().all(is_one)
}

/// Parses an RTP payload type, which has 7 bits (RFC 3550, section 5.1).
pub(super) fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number < 128 && is_number(text))
}

/// The number of an RTP header extension (RFC 8285, section 6).
pub(super) fn extension(value: &str) -> Option<u8> {
    let number = value.split([' ', '/']).next()?;
    number.parse().ok().filter(|number| *number > 0)
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u64>().is_ok()
}

fn is_address(fields: &[&str]) -> bool {
    matches!(fields, ["IN", "IP4" | "IP6", host] if !host.is_empty())
}

fn is_source(text: &str) -> bool {
    is_number(text) && text.parse::<u32>().is_ok()
}

/// Whether a byte is an `ice-char` (RFC 8839, section 5.1), or `-` or `_`.
fn is_ice(byte: u8) -> bool {
    // Some clients use `-` and `_`, which the RFC does not allow.
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether a text is a candidate (RFC 8839, section 5.1).
fn is_candidate(value: &str) -> bool {
    let mut fields = value.split(' ');
    let foundation = fields.next().unwrap_or_default();
    let component = fields.next().and_then(|text| text.parse::<u16>().ok());
    (1..=32).contains(&foundation.len())
        && foundation.bytes().all(is_ice)
        && component.is_some_and(|number| (1..=256).contains(&number))
        && format!("candidate:{value}").parse::<Candidate>().is_ok()
}

/// Whether a text is a hash function and a hash of its length (RFC 8122, section 5).
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

/// Whether a text is `<type> <name>/<rate>[/<channels>]`.
fn is_codec(value: &str) -> bool {
    let Some((number, codec)) = value.split_once(' ') else { return false };
    let codec: Vec<_> = codec.split('/').collect();
    let is_count = |text: &str| text.parse::<u32>().is_ok_and(|count| count > 0);
    payload_type(number).is_some()
        && matches!(&*codec, [name, rate, channels @ ..] if is_token(name) && is_count(rate)
            && channels.len() <= 1 && channels.iter().all(|it| is_count(it)))
}

/// Whether a text is `<number>[/<direction>] <uri>`.
fn is_extension(value: &str) -> bool {
    let mut fields = value.split(' ');
    let direction = fields.next().and_then(|it| it.split_once('/')).map(|(_, direction)| direction);
    extension(value).is_some()
        && direction.is_none_or(|it| DIRECTIONS.contains(&it))
        && fields.next().is_some_and(|uri| uri.contains(':'))
}
