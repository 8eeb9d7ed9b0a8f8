//! One page that shows it all. It has no build step, and loads nothing from elsewhere.
//!
//! Its shell is public: it knows nothing, and asks for what it shows with the token that it is given.

use std::borrow::Cow;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::edge::guard::Anybody;
use super::edge::request::Mount;
use super::edge::response::Guarded;
use super::shared::Shared;

/// Scripts and styles of our own alone, none of them inline, and texts that never become markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE: &str = include_str!("index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! assets {
    ($($kind:expr => $($name:literal)*;)*) => {
        /// Each file with its path, its type and its text.
        const ASSETS: &[(&str, &str, &str)] =
            &[$($((concat!("/assets/", $name), $kind, include_str!($name)),)*)*];
    };
}

assets! {
    "text/css; charset=utf-8" => "dashboard.css";
    SCRIPT => "api.js" "charts.js" "connections.js" "dashboard.js" "detail.js" "dialogs.js" "dom.js" "format.js" "lists.js" "live.js" "operations.js" "pairs.js" "parts.js" "sdp.js" "statistics.js" "store.js" "summary.js" "table.js" "theme.js" "timeline.js";
}

/// The dashboard.
#[utoipa::path(get, path = "/", tag = "monitor", security(()), responses(
    (status = 200, description = "The page, without anything to show yet", content_type = "text/html", body = String),
))]
pub(crate) async fn page(_: Anybody<Shared>, Mount(mount): Mount) -> Response {
    // What it is made of is named from its folder, which it is not in where it is nested.
    let page = if mount.is_empty() {
        Cow::Borrowed(PAGE)
    } else {
        let mount = mount.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        Cow::Owned(PAGE.replacen("<head>", &format!("<head>\n<base href=\"{mount}/\">"), 1))
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Guarded((headers, page)).into_response()
}

/// What the page is made of besides.
pub(crate) fn assets() -> Router<Shared> {
    ASSETS.iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(
            path,
            get(|_: Anybody<Shared>| async { Guarded(([(header::CONTENT_TYPE, *kind)], *text)) }),
        )
    })
}
