//! A cache of the summary as JSON.

use axum::body::Bytes;

use crate::monitor::Summary;
use crate::sync::Mutex;
use crate::wire::http::{Modes, SummaryJson, bytes};

/// The last summary, and its JSON. An equal summary, which is one of the same millisecond, is not
/// serialised again, because serialisation would be most of the cost of frequent requests.
#[derive(Default)]
pub(crate) struct SummaryCache(Mutex<Option<(SummaryJson, Bytes)>>);

impl SummaryCache {
    /// The JSON of a [`SummaryJson`].
    pub(crate) fn bytes(&self, summary: &Summary, modes: Modes) -> Bytes {
        let summary = SummaryJson::new(summary, modes);
        let mut cached = self.0.lock();
        if let Some((_, text)) = cached.as_ref().filter(|(cached, _)| *cached == summary) {
            return text.clone();
        }
        let text = Bytes::from(bytes(&summary));
        *cached = Some((summary, text.clone()));
        text
    }
}
