//! The Python original's routes for trying it out.

use axum::http::HeaderMap;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::Shared;
use super::ask::{Id, Mount};
use super::control;
use super::guard::{Controller, Reader};
use super::monitor::{Answer, json};
use crate::wire::http::{CloseJson, CloseManyJson, ProblemJson, TestJson};
use crate::wire::json::unix;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(test)).routes(routes!(close)).routes(routes!(close_all))
}

/// Says that the routes are there.
#[utoipa::path(get, path = "/webrtc/test/", tag = "test", responses(
    (status = 200, description = "They are", body = TestJson),
))]
async fn test(Reader(shared): Reader) -> Response {
    let timestamp = unix(shared.monitor.now());
    json(&TestJson { success: true, message: "WebRTC test routes are available", timestamp })
}

/// Closes a connection.
#[utoipa::path(post, path = "/webrtc/test/close/{id}", operation_id = "test_close", tag = "test",
    params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "It ended: closed, or its end cannot be seen", body = CloseJson<'static>),
        (status = 404, response = ProblemJson),
        (status = 500, response = ProblemJson),
        (status = 504, response = ProblemJson),
    ))]
async fn close(who: Controller, mount: Mount, id: Id) -> Answer {
    control::close(who, mount, id, HeaderMap::new()).await
}

/// Closes every connection.
#[utoipa::path(post, path = "/webrtc/test/close_all", operation_id = "test_close_all", tag = "test", responses(
    (status = 200, description = "All have ended", body = CloseManyJson<'static>),
    (status = 500, description = "Some would not close", body = CloseManyJson<'static>),
))]
async fn close_all(who: Controller, mount: Mount) -> Response {
    control::close_all(who, mount, HeaderMap::new()).await
}
