//! Closes of one peer and of several peers.

pub(super) mod attempt;
mod force_reason;
pub(super) mod handles;
mod release;
pub(super) mod report;
pub(super) mod request;
mod result;
pub(super) mod run;
pub(super) mod sweep;
