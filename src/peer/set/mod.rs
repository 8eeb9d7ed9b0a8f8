//! A set of peers.

pub(super) mod builder;
mod entries;
pub(super) mod insert_error;
pub(super) mod peers;
mod registry;
pub(super) mod reservation;
pub(super) mod retained;
