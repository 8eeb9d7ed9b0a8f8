//! What every request passes and every answer goes out through: nothing here knows a route.

pub(crate) mod access;
pub(crate) mod guard;
pub(crate) mod long;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod response;
