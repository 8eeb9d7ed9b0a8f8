//! The shapes of connections, operations and events as JSON, for the log and for HTTP.
//!
//! Times are Unix seconds and durations are seconds, unless a key says otherwise. Unknown values
//! are null. The keys of the Python original are kept, with their meaning, and others are added.

mod connection;
mod event;
mod operation;
mod time;

pub(crate) use self::connection::ConnectionJson;
#[cfg(feature = "http")]
pub(crate) use self::connection::{DiagnosisJson, SampleJson, StatsJson};
pub(crate) use self::event::EventLineJson;
pub(crate) use self::operation::OperationJson;
pub(crate) use self::time::unix;
