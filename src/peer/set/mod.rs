//! A set of peers.

pub(super) mod builder;
pub(super) mod insert_error;
pub(super) mod peers;
mod registry;
pub(super) mod reservation;
pub(super) mod retained;
