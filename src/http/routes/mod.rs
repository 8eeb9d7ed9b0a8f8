//! The routes of the API, one file for each kind of resource.

pub(crate) mod closed;
pub(crate) mod connections;
pub(crate) mod control;
pub(crate) mod dump;
pub(crate) mod events;
pub(crate) mod openapi;
pub(crate) mod operations;
pub(crate) mod original;
pub(crate) mod summary;
pub(crate) mod tasks;
