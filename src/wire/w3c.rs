//! Shapes of W3C webrtc-pc and webrtc-stats, which both kinds of dumps are made of.

use std::time::Duration;

use serde::Serialize;

/// The value of one field of statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    /// `null`.
    Unknown,
    Flag(bool),
    Count(u64),
    Signed(i64),
    /// Always finite.
    Real(f64),
    Text(String),
}

impl Scalar {
    pub(crate) fn real(value: f64) -> Self {
        if value.is_finite() { Self::Real(value) } else { Self::Unknown }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Whether JavaScript takes it for false.
    pub(crate) fn is_falsy(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Flag(flag) => !flag,
            Self::Count(count) => *count == 0,
            Self::Signed(count) => *count == 0,
            Self::Real(value) => *value == 0.0,
            Self::Text(text) => text.is_empty(),
        }
    }
}

impl From<u64> for Scalar {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<i64> for Scalar {
    fn from(count: i64) -> Self {
        Self::Signed(count)
    }
}

impl From<bool> for Scalar {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// In seconds, as W3C has it.
impl From<Duration> for Scalar {
    fn from(time: Duration) -> Self {
        Self::Real(time.as_secs_f64())
    }
}

impl<T: Into<Self>> From<Option<T>> for Scalar {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

/// `RTCSessionDescriptionInit`. Readers want its type first.
#[derive(Debug, Serialize)]
pub(crate) struct Description<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) sdp: &'a str,
}

/// `RTCIceCandidateInit`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IceCandidate {
    pub(crate) sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex")]
    pub(crate) sdp_m_line_index: Option<u16>,
    pub(crate) candidate: String,
}

/// `RTCConfiguration`, which has no place for a credential here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configuration {
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) ice_transport_policy: &'static str,
}

/// `RTCIceServer`.
#[derive(Debug, Serialize)]
pub(crate) struct IceServer {
    pub(crate) urls: Vec<String>,
}

/// As one line of JSON. Our shapes have string keys and no failing parts, so nothing is lost.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
