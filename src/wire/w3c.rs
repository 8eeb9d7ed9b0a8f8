//! Shapes of W3C webrtc-pc and webrtc-stats, which both formats of dumps use.

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

    /// Whether the value is falsy in JavaScript.
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

/// In seconds, as in W3C webrtc-stats.
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

/// `RTCSessionDescriptionInit`. Readers require `type` to be the first key.
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

/// `RTCConfiguration`, without credentials.
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

/// Serialises a value as one line of JSON. This cannot fail for the shapes in this module, which
/// have string keys only.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
