//! The shapes of `RTCStatsDump` files, version 3.

use std::collections::BTreeMap;

use serde::Serialize;

use super::w3c::{Scalar, json};

/// The first line, which identifies the format.
pub(crate) const MAGIC: &str = "RTCStatsDump";

/// The second line of the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) file_format: u8,
    pub(crate) url: &'static str,
    pub(crate) origin: &'static str,
    pub(crate) user_agent: &'static str,
    pub(crate) start_time: u64,
}

/// The value of the `create` that belongs to no connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) user_agent: &'static str,
}

/// Any other line, without its connection and its time.
#[derive(Debug)]
pub(crate) struct Line {
    method: &'static str,
    value: String,
}

impl Line {
    pub(crate) fn new<T: Serialize + ?Sized>(method: &'static str, value: &T) -> Self {
        Self { method, value: json(value) }
    }

    /// Returns the line as text. `delta_ms` is the time since the line before, in milliseconds.
    pub(crate) fn text(&self, connection: Option<&str>, delta_ms: u64) -> String {
        format!("[{},{},{},{delta_ms}]", json(self.method), json(&connection), self.value)
    }
}

/// The value of `onicecandidateerror`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParseCandidateError<'a> {
    pub(crate) address: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) host_candidate: &'a str,
    pub(crate) url: &'a str,
    pub(crate) error_code: u16,
    pub(crate) error_text: &'a str,
}

/// The value of `getStats`: by id, the fields that have changed since the last one. `None` removes
/// the object.
pub(crate) type Delta<'a> = BTreeMap<&'a str, Option<BTreeMap<&'static str, Scalar>>>;
