//! The close of one peer, and of many.

pub(super) mod attempt;
pub(super) mod handles;
pub(super) mod report;
mod result;
pub(super) mod run;
pub(super) mod sweep;
