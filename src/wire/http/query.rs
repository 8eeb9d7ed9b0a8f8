//! The queries of requests.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::state::ConnectionState;

/// Which page of a list of connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionsQuery {
    /// The most entries that the page may have; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The `next` of an earlier page, to continue after it.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Only connections with this id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: Option<String>,
    /// Only connections in this state.
    #[param(inline)]
    pub(crate) state: Option<StateParam>,
    /// Only connections of this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// Everything that is known of each connection (`full`, the default), or one line (`row`).
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

/// Which page of the closed connections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedQuery {
    /// The most entries that the page may have; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The `next` of an earlier page, to continue after it.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
    /// Only connections with this id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: Option<String>,
    /// Only connections of this group.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) group: Option<String>,
    /// Everything that is known of each connection (`full`, the default), or one line (`row`).
    #[param(inline)]
    pub(crate) view: Option<ViewParam>,
}

/// Which page of the operations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationsQuery {
    /// The most entries that the page may have; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The `next` of an earlier page, to continue after it.
    #[param(pattern = "^[0-9a-f]{1,16}$")]
    pub(crate) after: Option<String>,
    /// Operations in progress (`started`, the default), those that have `ended`, or those that have
    /// ended in one way. Those that have ended are listed with the last one first.
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

/// Which page of the tasks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TasksQuery {
    /// The most entries that the page may have; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// The `next` of an earlier page, to continue after it.
    #[param(pattern = "^[0-9]{1,19}$")]
    pub(crate) after: Option<String>,
}

/// Which dump.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DumpQuery {
    /// The format: `internals` (the default) or `rtcstats`.
    #[param(inline)]
    pub(crate) format: Option<DumpParam>,
    /// The id of the only connection to dump.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) connection: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DumpParam {
    Internals,
    Rtcstats,
}

/// Which connection is closed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseQuery {
    /// The connection's id.
    #[param(min_length = 1, max_length = 256)]
    pub(crate) id: String,
}
