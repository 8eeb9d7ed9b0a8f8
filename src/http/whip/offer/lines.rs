//! The lines of a description (RFC 8866, section 5).

use super::error::{OfferError, at, whole};
use super::values;

/// The limit of media sections, more than any client offers. The error names it too.
const MAX_SECTIONS: usize = 64;

/// The attributes of the session or of one media section, each with its line number.
#[derive(Default)]
pub(super) struct Part<'a> {
    /// The value of `m=`; empty for the session.
    pub(super) media: &'a str,
    attributes: Vec<(usize, &'a str, &'a str)>,
    /// The position of the last line's type in the order of line types.
    place: usize,
}

/// The order of line types in the session.
const SESSION: &str = "vosiuepcbtrzka";
/// The order of line types in a media section.
const SECTION: &str = "micbka";
/// The line types that may be repeated.
const REPEATED: &str = "epcbtra";

impl<'a> Part<'a> {
    /// The values of an attribute.
    pub(super) fn all<'p>(
        &'p self,
        name: &'static str,
    ) -> impl Iterator<Item = (usize, &'a str)> + use<'p, 'a> {
        self.attributes
            .iter()
            .filter(move |(_, key, _)| *key == name)
            .map(|(line, _, value)| (*line, *value))
    }

    /// The first value of an attribute.
    pub(super) fn one(&self, name: &'static str) -> Option<(usize, &'a str)> {
        self.all(name).next()
    }

    /// The names of the attributes.
    pub(super) fn names(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.attributes.iter().map(|(line, name, _)| (*line, *name))
    }

    /// Whether the port of the media section is 0.
    fn has_no_port(&self) -> bool {
        self.media.split(' ').nth(1) == Some("0")
    }

    /// Whether the media section uses the transport of its bundle (RFC 9143, section 6).
    pub(super) fn is_bundle_only(&self) -> bool {
        self.has_no_port() && self.one("bundle-only").is_some()
    }

    /// Whether the media section is rejected (RFC 3264, section 6).
    pub(super) fn is_rejected(&self) -> bool {
        self.has_no_port() && !self.is_bundle_only()
    }

    /// Adds a line, if its type may follow the previous lines.
    fn add(
        &mut self,
        order: &str,
        line: usize,
        kind: char,
        value: &'a str,
    ) -> Result<(), OfferError> {
        let place =
            order.find(kind).ok_or_else(|| at(line, "has a type that is not allowed here"))?;
        let again = place == self.place && !REPEATED.contains(kind);
        if place < self.place || again && (kind != 'v' || line > 1) {
            return Err(at(line, "is out of order"));
        }
        self.place = place;
        if !values::is_line(kind, value) {
            return Err(at(line, "has an invalid value"));
        }
        if kind == 'a' {
            let (name, value) = value.split_once(':').unwrap_or((value, ""));
            if !values::is_token(name) || !values::is_attribute(name, value) {
                return Err(at(line, "is not a valid attribute"));
            }
            let is_again = || self.names().any(|(_, known)| known == name);
            if values::UNIQUE.contains(&name) && is_again() {
                return Err(at(line, "repeats an attribute that must be unique"));
            }
            self.attributes.push((line, name, value));
        }
        Ok(())
    }
}

/// Splits an offer into the session part and its media sections, of which there is at least one.
pub(super) fn parts(sdp: &str) -> Result<(Part<'_>, Vec<Part<'_>>), OfferError> {
    let text = sdp.strip_suffix('\n').ok_or_else(|| whole("does not end with a line break"))?;
    let mut session = Part::default();
    let mut sections: Vec<Part<'_>> = Vec::new();
    let mut begun = String::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
            return Err(at(number, "has a control character"));
        }
        let mut chars = line.chars();
        let (Some(kind), Some('=')) = (chars.next(), chars.next()) else {
            return Err(at(number, "is not `<letter>=<value>`"));
        };
        let value = chars.as_str();
        if kind == 'm' {
            if sections.len() >= MAX_SECTIONS {
                return Err(at(number, "exceeds the limit of 64 media sections"));
            }
            sections.push(Part { media: value, ..Part::default() });
            continue;
        }
        match sections.last_mut() {
            Some(section) => section.add(SECTION, number, kind, value)?,
            None => {
                session.add(SESSION, number, kind, value)?;
                begun.push(kind);
            }
        }
    }
    if !begun.starts_with("vos") || !begun.contains('t') {
        return Err(whole(
            "does not begin with the lines `v=`, `o=` and `s=`, or has no line `t=`",
        ));
    }
    if sections.is_empty() {
        return Err(whole("has no media section"));
    }
    Ok((session, sections))
}
