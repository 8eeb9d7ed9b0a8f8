//! Checks an offer before a connection is made for it.
//!
//! `webrtc` accepts texts that are no valid offer: without media, without a fingerprint, or cut off
//! in the middle. These checks require what an offer has to contain (RFC 8829, section 5.2; RFC
//! 8839; RFC 8841; RFC 8842; RFC 9143; RFC 9725, section 4.4). Unknown attributes are ignored.

mod check;
mod error;
mod lines;
mod sections;
mod values;

pub(super) use self::check::check;
pub(super) use self::error::OfferError;
pub(super) use self::values::MAX_CANDIDATES;
