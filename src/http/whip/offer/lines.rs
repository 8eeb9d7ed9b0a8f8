//! The lines of a description (RFC 8866, section 5).

use super::error::{OfferError, at, whole};
use super::values;

/// More sections than any client offers.
const MAX_SECTIONS: usize = 64;

/// The attributes of the session, or of one section, each with its line.
#[derive(Default)]
pub(super) struct Part<'a> {
    /// What `m=` says; nothing for the session.
    pub(super) media: &'a str,
    attributes: Vec<(usize, &'a str, &'a str)>,
    /// The place of its last line in the order of what a part has.
    place: usize,
}

/// In which order what a session has comes.
const SESSION: &str = "vosiuepcbtrzka";
/// In which order what a section has comes.
const SECTION: &str = "micbka";
/// What may come more than once.
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

    /// The names of its attributes.
    pub(super) fn names(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.attributes.iter().map(|(line, name, _)| (*line, *name))
    }

    fn has_no_port(&self) -> bool {
        self.media.split(' ').nth(1) == Some("0")
    }

    pub(super) fn is_bundle_only(&self) -> bool {
        self.has_no_port() && self.one("bundle-only").is_some()
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.has_no_port() && !self.is_bundle_only()
    }

    /// Adds a line, if it may come after what is there.
    fn add(
        &mut self,
        order: &str,
        line: usize,
        kind: char,
        value: &'a str,
    ) -> Result<(), OfferError> {
        let place = order.find(kind).ok_or_else(|| at(line, "is of no known kind here"))?;
        let again = place == self.place && !REPEATED.contains(kind);
        if place < self.place || again && (kind != 'v' || line > 1) {
            return Err(at(line, "is not where it belongs"));
        }
        self.place = place;
        if !values::is_line(kind, value) {
            return Err(at(line, "is not what a line of its kind is"));
        }
        if kind == 'a' {
            let (name, value) = value.split_once(':').unwrap_or((value, ""));
            if !values::is_token(name) || !values::is_attribute(name, value) {
                return Err(at(line, "is not a valid attribute"));
            }
            let is_again = || self.names().any(|(_, known)| known == name);
            if values::UNIQUE.contains(&name) && is_again() {
                return Err(at(line, "is there a second time"));
            }
            self.attributes.push((line, name, value));
        }
        Ok(())
    }
}

/// Takes an offer apart into the session and its sections, of which there is at least one.
pub(super) fn parts(sdp: &str) -> Result<(Part<'_>, Vec<Part<'_>>), OfferError> {
    let text = sdp.strip_suffix('\n').ok_or_else(|| whole("does not end with a line"))?;
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
                return Err(at(number, "is too much media"));
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
        return Err(whole("does not begin as a description does (`v=`, `o=`, `s=`, .. `t=`)"));
    }
    if sections.is_empty() {
        return Err(whole("has no media section"));
    }
    Ok((session, sections))
}
