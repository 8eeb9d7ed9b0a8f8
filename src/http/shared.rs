//! The state that all routes share.

use std::ops::Deref;
use std::sync::Arc;

use async_lock::Semaphore;

use super::edge::access::Access;
use super::edge::long::LongAnswers;
use super::summary_cache::SummaryCache;
#[cfg(feature = "webrtc")]
use super::whip::sessions::Sessions;
use crate::monitor::Monitor;
use crate::peer::Peers;
use crate::task::CancellationToken;
use crate::wire::http::Modes;

/// A handle to the state that all routes share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<ApiState>);

/// The state that all routes share.
pub(crate) struct ApiState {
    pub(crate) monitor: Monitor,
    pub(crate) peers: Peers,
    pub(crate) access: Access,
    pub(crate) modes: Modes,
    pub(crate) summary: SummaryCache,
    pub(crate) long: LongAnswers,
    /// A permit for each client that follows the events.
    pub(crate) followers: Arc<Semaphore>,
    /// Cancelled to end the streams of events.
    pub(crate) ending: CancellationToken,
    #[cfg(feature = "webrtc")]
    pub(crate) sessions: Option<Sessions>,
    /// The OpenAPI document.
    pub(crate) document: String,
}

impl Shared {
    pub(crate) fn new(state: ApiState) -> Self {
        Self(Arc::new(state))
    }
}

impl Deref for Shared {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.0
    }
}

impl AsRef<Access> for Shared {
    fn as_ref(&self) -> &Access {
        &self.access
    }
}
