//! The description of all this, made from the routes themselves.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder};

/// Says what all routes have in common.
pub(super) fn complete(document: &mut OpenApi, has_token: bool) {
    if has_token {
        let bearer =
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", bearer);
        document.security = Some(vec![utoipa::openapi::SecurityRequirement::new("token", [""; 0])]);
    }
}

/// Where it is.
pub(super) fn route<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Router<S> {
    let text = document.to_json().unwrap_or_default();
    let answer = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() }
    };
    Router::new().route("/openapi.json", get(answer))
}

pub(super) fn base() -> OpenApi {
    let mut info = Info::new("anypeer", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    OpenApiBuilder::new().info(info).build()
}
