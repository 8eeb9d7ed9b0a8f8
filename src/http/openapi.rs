//! The description of all this, made from the routes themselves.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder};

use super::api::Shared;

/// Says what all routes have in common.
pub(super) fn complete(document: &mut OpenApi, has_token: bool) {
    if has_token {
        let bearer =
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", bearer);
        document.security = Some(vec![utoipa::openapi::SecurityRequirement::new("token", [""; 0])]);
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "monitor", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub(super) async fn document(State(shared): State<Shared>) -> Response {
    let text = shared.document.get().cloned().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

pub(super) fn base() -> OpenApi {
    let mut info = Info::new("anypeer", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    OpenApiBuilder::new().info(info).build()
}
