//! The shapes of a file of `chrome://webrtc-internals`, as of Chrome M138.

use std::collections::BTreeMap;

use serde::Serialize;

use super::w3c::{Configuration, Scalar, json};

/// The whole file.
#[derive(Debug, Serialize)]
pub(crate) struct Dump {
    #[serde(rename = "getUserMedia")]
    pub(crate) get_user_media: [(); 0],
    #[serde(rename = "PeerConnections")]
    pub(crate) peer_connections: BTreeMap<String, PeerConnection>,
    #[serde(rename = "UserAgent")]
    pub(crate) user_agent: &'static str,
    /// Readers refuse a file without this key, and show the third brand.
    #[serde(rename = "UserAgentData")]
    pub(crate) user_agent_data: [Brand; 3],
}

/// `NavigatorUABrandVersion`.
#[derive(Debug, Serialize)]
pub(crate) struct Brand {
    pub(crate) brand: &'static str,
    pub(crate) version: &'static str,
}

/// A connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeerConnection {
    pub(crate) pid: u32,
    pub(crate) constraints: &'static str,
    /// Chrome writes this as a string, but readers only look into an object.
    pub(crate) rtc_configuration: Configuration,
    pub(crate) stats: BTreeMap<String, Series>,
    pub(crate) update_log: Vec<Update>,
    pub(crate) url: String,
}

/// The values of one field over time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Series {
    start_time: String,
    end_time: String,
    stats_type: &'static str,
    /// A JSON array, as text.
    values: String,
}

impl Series {
    pub(crate) fn new(
        (start_time, end_time): (String, String),
        stats_type: &'static str,
        values: &[Scalar],
    ) -> Self {
        Self { start_time, end_time, stats_type, values: json(values) }
    }
}

/// An entry of the log.
#[derive(Debug, Serialize)]
pub(crate) struct Update {
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    timestamp: u64,
}

impl Update {
    /// An entry without a value.
    pub(crate) fn bare(kind: &'static str, timestamp: u64) -> Self {
        Self { kind, value: String::new(), timestamp }
    }

    pub(crate) fn new<T: Serialize>(kind: &'static str, value: &T, timestamp: u64) -> Self {
        // Readers take a text with `, sdp: ` for a description in the format of old versions.
        let value = json(value).replace(", sdp: ", ", sdp\\u003a ");
        Self { kind, value, timestamp }
    }
}

/// The value of `createDataChannel` and `ondatachannel`.
#[derive(Debug, Serialize)]
pub(crate) struct Channel<'a> {
    pub(crate) label: &'a str,
}

/// The value of `onicecandidateerror`.
#[derive(Debug, Serialize)]
pub(crate) struct ParseCandidateError<'a> {
    pub(crate) url: &'a str,
    pub(crate) address: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) host_candidate: &'a str,
    pub(crate) error_text: &'a str,
    pub(crate) error_code: u16,
}

/// The value of `transceiverAdded` and `transceiverModified`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transceiver<'a> {
    pub(crate) reason: &'static str,
    pub(crate) kind: Option<&'static str>,
    pub(crate) sender: End<'a>,
    pub(crate) receiver: End<'a>,
    pub(crate) current_direction: Option<&'static str>,
}

/// The sender or the receiver of a transceiver.
#[derive(Debug, Default, Serialize)]
pub(crate) struct End<'a> {
    pub(crate) track: Option<&'a str>,
    pub(crate) streams: [&'a str; 0],
}
