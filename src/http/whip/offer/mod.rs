//! What an offer has to have, before a connection is made for it.
//!
//! `webrtc` takes much for an offer that is none: a text without media, without a key, or cut off in
//! the middle. What is asked for here is what an offerer has to say (RFC 8829, section 5.2; RFC 8839;
//! RFC 8841; RFC 8842; RFC 9143; RFC 9725, section 4.4). What an attribute that is not known means is
//! the offerer's.

mod check;
mod error;
mod lines;
mod sections;
mod values;

pub(super) use self::check::check;
pub(super) use self::error::OfferError;
pub(super) use self::values::MAX_CANDIDATES;
