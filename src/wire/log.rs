//! Lines of the log, and the records that only the log has.

use std::time::SystemTime;

use serde::Serialize;

use super::json::unix;

/// Appends a value as a line. Returns whether it could be serialised.
pub(crate) fn append(lines: &mut Vec<u8>, value: &impl Serialize) -> bool {
    let before = lines.len();
    let written = serde_json::to_writer(&mut *lines, value).is_ok();
    if written {
        lines.push(b'\n');
    } else {
        lines.truncate(before);
    }
    written
}

/// The record of how many records were dropped.
#[derive(Serialize)]
pub(crate) struct DroppedJson {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: f64,
    dropped: u64,
}

impl DroppedJson {
    pub(crate) fn new(at: SystemTime, dropped: u64) -> Self {
        Self { kind: "records_dropped", timestamp: unix(at), dropped }
    }
}
