//! The shapes of HTTP requests and responses, in addition to those of [`json`](super::json). The
//! keys of the Python original are kept.

mod close;
mod connection;
mod encode;
mod event;
mod operation;
mod original;
mod problem;
mod query;
mod summary;
mod task;

pub(crate) use self::close::{AcceptedJson, CloseJson, CloseManyJson, PeerProblemJson};
pub(crate) use self::connection::{
    ClosedJson, ConnectionDiagnosisJson, ConnectionStatsJson, ConnectionsJson, ListWriter,
    ListedJson, OneConnectionJson, RowJson,
};
pub(crate) use self::encode::{QueryShape, Shape, bytes, text};
pub(crate) use self::event::{ConnectionEventJson, GapJson, SnapshotJson};
pub(crate) use self::operation::{OneOperationJson, OperationsJson};
pub(crate) use self::original::TestJson;
pub(crate) use self::problem::ProblemJson;
pub(crate) use self::query::{
    CloseQuery, ClosedQuery, ConnectionsQuery, DumpParam, DumpQuery, OperationStateParam,
    OperationsQuery, TasksQuery, ViewParam,
};
pub(crate) use self::summary::{AliveJson, Modes, SummaryJson};
pub(crate) use self::task::TasksJson;
