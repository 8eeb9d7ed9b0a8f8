//! JSON of connections, operations and events, with the keys of the Python original.
//!
//! Times are Unix seconds, durations seconds, unless a key says otherwise; what is not known is
//! null. Keys of the original keep their meaning, and others are added.

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
