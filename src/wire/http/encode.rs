//! Converts shapes to JSON, and queries to shapes, for layers that do not use serde.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that can be serialised as a response.
pub(crate) trait Shape: Serialize {}

impl<T: Serialize> Shape for T {}

/// Serialises a shape as JSON; `null` if that fails.
pub(crate) fn bytes(value: &impl Shape) -> Vec<u8> {
    // Enough for most responses.
    let mut bytes = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => b"null".to_vec(),
    }
}

/// Serialises a shape as JSON; `null` if that fails.
pub(crate) fn text(value: &impl Shape) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A value that a query can be parsed into.
pub(crate) trait QueryShape: DeserializeOwned {}

impl<T: DeserializeOwned> QueryShape for T {}
