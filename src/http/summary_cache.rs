//! The summary as text, cached.

use axum::body::Bytes;

use crate::monitor::Summary;
use crate::sync::Mutex;
use crate::wire::http::{Modes, SummaryJson, bytes};

/// The last summary that was asked for, and its text. One that says the same, which also means in the
/// same millisecond, is written once: where it is asked for that often, most of its cost would be its
/// text.
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
