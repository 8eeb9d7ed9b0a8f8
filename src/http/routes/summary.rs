//! The routes of the health, the summary and the metrics.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::edge::guard::{Anybody, Reader};
use crate::http::edge::response::{Guarded, json, json_text};
use crate::http::shared::Shared;
use crate::metrics::{self, Format};
use crate::monitor::Health;
use crate::wire::http::{AliveJson, SummaryJson};

/// The health status. This route needs no token.
#[utoipa::path(get, path = "/health", tag = "monitor", security(()), responses(
    (status = 200, description = "Healthy, or degraded: there are health issues, but most connections work", body = AliveJson),
    (status = 503, description = "Failing: most live connections have failed, or a peer would not close", body = AliveJson),
))]
pub(crate) async fn health(Anybody(shared): Anybody<Shared>) -> Response {
    let summary = shared.monitor.summary();
    let failing = matches!(summary.health, Health::Failing(_));
    let mut response = json(&AliveJson::new(&summary));
    if failing {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// The numbers of connections, operations and tasks, and the health. It takes constant time.
#[utoipa::path(get, path = "/webrtc/monitor/summary", tag = "monitor", responses(
    (status = 200, description = "The summary", body = SummaryJson),
))]
pub(crate) async fn summary(Reader(shared): Reader<Shared>) -> Response {
    json_text(shared.summary.bytes(&shared.monitor.summary(), shared.modes))
}

/// The metrics, for Prometheus and compatible scrapers.
#[utoipa::path(get, path = "/metrics", tag = "monitor", responses(
    (status = 200, description = "The metrics, in the format that `Accept` asks for", content(
        (String = "application/openmetrics-text"), (String = "text/plain"),
    )),
))]
pub(crate) async fn metrics(Reader(shared): Reader<Shared>, headers: HeaderMap) -> Response {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|it| it.to_str().ok());
    let format = if accepted.any(|it| it.contains("application/openmetrics-text")) {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    };
    let text = metrics::encode(&shared.monitor, format);
    Guarded(([(header::CONTENT_TYPE, format.content_type())], text)).into_response()
}
