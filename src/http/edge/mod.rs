//! Parts that all routes share: access control, extractors, and responses.

pub(crate) mod access;
pub(crate) mod guard;
pub(crate) mod long;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod response;
