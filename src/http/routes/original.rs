//! The test routes of the Python original.

use axum::http::HeaderMap;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::control;
use crate::http::edge::guard::{Controller, Reader};
use crate::http::edge::problem::Answer;
use crate::http::edge::request::{Id, Mount};
use crate::http::edge::response::json;
use crate::http::shared::Shared;
use crate::wire::http::{CloseJson, CloseManyJson, ProblemJson, TestJson};
use crate::wire::json::unix;

/// The test routes.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(test)).routes(routes!(close)).routes(routes!(close_all))
}

/// Confirms that the test routes are available.
#[utoipa::path(get, path = "/webrtc/test/", tag = "test", responses(
    (status = 200, description = "The test routes are available", body = TestJson),
))]
async fn test(Reader(shared): Reader<Shared>) -> Response {
    let timestamp = unix(shared.monitor.now());
    json(&TestJson { success: true, message: "WebRTC test routes are available", timestamp })
}

/// Closes a connection.
#[utoipa::path(post, path = "/webrtc/test/close/{id}", operation_id = "test_close", tag = "test",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The connection ended, or its end cannot be observed", body = CloseJson<'static>),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
async fn close(guard: Controller<Shared>, mount: Mount, id: Id) -> Answer {
    control::close(guard, mount, id, HeaderMap::new()).await
}

/// Closes every connection.
#[utoipa::path(post, path = "/webrtc/test/close_all", operation_id = "test_close_all", tag = "test", responses(
    (status = 200, description = "Every connection ended", body = CloseManyJson<'static>),
    (status = 500, description = "Some connections did not close", body = CloseManyJson<'static>),
))]
async fn close_all(guard: Controller<Shared>, mount: Mount) -> Response {
    control::close_all(guard, mount, HeaderMap::new()).await
}
