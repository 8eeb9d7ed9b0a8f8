//! Responses of the Python original's test routes.

use serde::Serialize;
use utoipa::ToSchema;

/// `GET /webrtc/test/`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestJson {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) timestamp: f64,
}
