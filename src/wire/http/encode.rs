//! From shapes to JSON, and from queries to shapes, for layers that do not know serde.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an answer may be made of.
pub(crate) trait Shape: Serialize {}

impl<T: Serialize> Shape for T {}

/// Any shape as JSON; `null` if it cannot be.
pub(crate) fn bytes(value: &impl Shape) -> Vec<u8> {
    // What most answers have.
    let mut bytes = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => b"null".to_vec(),
    }
}

/// Any shape as JSON; `null` if it cannot be.
pub(crate) fn text(value: &impl Shape) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// What a query may be read as.
pub(crate) trait QueryShape: DeserializeOwned {}

impl<T: DeserializeOwned> QueryShape for T {}
