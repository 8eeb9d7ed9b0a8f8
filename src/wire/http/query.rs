//! The query parameters of requests.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::state::ConnectionState;

/// Parameters of the list of connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionsQuery {
    /// The maximum number of entries of the page; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The value of `next` from an earlier page, to continue after that page.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Only connections with this id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: Option<String>,
    /// Only connections in this state.
    #[param(inline)]
    pub(crate) state: Option<StateParam>,
    /// Only connections in this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// `full` (the default) for all details of each connection, or `row` for a summary of each.
    #[param(inline)]
    pub(crate) view: Option<ViewParam>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateParam {
    New,
    Connecting,
    Connected,
    Disconnected,
    Failed,
    Closed,
}

impl From<StateParam> for ConnectionState {
    fn from(state: StateParam) -> Self {
        match state {
            StateParam::New => Self::New,
            StateParam::Connecting => Self::Connecting,
            StateParam::Connected => Self::Connected,
            StateParam::Disconnected => Self::Disconnected,
            StateParam::Failed => Self::Failed,
            StateParam::Closed => Self::Closed,
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ViewParam {
    Full,
    Row,
}

/// Parameters of the list of closed connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedQuery {
    /// The maximum number of entries of the page; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The value of `next` from an earlier page, to continue after that page.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Only connections with this id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: Option<String>,
    /// Only connections in this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// `full` (the default) for all details of each connection, or `row` for a summary of each.
    #[param(inline)]
    pub(crate) view: Option<ViewParam>,
}

/// Parameters of the list of operations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationsQuery {
    /// The maximum number of entries of the page; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The value of `next` from an earlier page, to continue after that page.
    #[param(pattern = "^[0-9a-f]{1,16}$")]
    pub(crate) after: Option<String>,
    /// `started` (the default) for operations in progress, `ended` for operations that have ended,
    /// or one outcome. Operations that have ended are listed with the latest first.
    #[param(inline)]
    pub(crate) state: Option<OperationStateParam>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OperationStateParam {
    Started,
    Ended,
    Completed,
    Failed,
    #[serde(rename = "canceled")]
    Cancelled,
}

/// Parameters of the list of tasks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TasksQuery {
    /// The maximum number of entries of the page; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The value of `next` from an earlier page, to continue after that page.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
}

/// Parameters of a dump.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DumpQuery {
    /// The format: `internals` (the default) or `rtcstats`.
    #[param(inline)]
    pub(crate) format: Option<DumpParam>,
    /// Only the connection with this id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) connection: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DumpParam {
    Internals,
    Rtcstats,
}

/// Parameters of a close.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseQuery {
    /// The connection's id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: String,
}
