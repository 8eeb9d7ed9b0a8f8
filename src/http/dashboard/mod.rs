//! One page that shows it all. It has no build step, and loads nothing from elsewhere.
//!
//! Its shell is public: it knows nothing, and asks for what it shows with the token that it is given.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::api::Shared;

/// Scripts and styles of our own alone, none of them inline, and texts that never become markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE: &str = include_str!("index.html");

/// Each file with its path and its type.
const ASSETS: [(&str, &str, &str); 2] = [
    ("/assets/dashboard.css", "text/css; charset=utf-8", include_str!("dashboard.css")),
    ("/assets/dashboard.js", "text/javascript; charset=utf-8", include_str!("dashboard.js")),
];

/// The dashboard.
#[utoipa::path(get, path = "/", tag = "monitor", security(()), responses(
    (status = 200, description = "The page, without anything to show yet", content_type = "text/html", body = String),
))]
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE).into_response()
}

/// What the page is made of besides.
pub(super) fn assets() -> Router<Shared> {
    ASSETS.into_iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(path, get(move || async move { ([(header::CONTENT_TYPE, kind)], text) }))
    })
}
