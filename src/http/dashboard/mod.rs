//! The dashboard: a page without a build step, which loads nothing from other hosts.
//!
//! The page itself is public: it contains no data, and requests all data with the user's token.

use std::borrow::Cow;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::edge::guard::Anybody;
use super::edge::request::Mount;
use super::edge::response::Guarded;
use super::shared::Shared;

/// The content security policy: only scripts and styles of this server, nothing inline, and no
/// markup from text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE: &str = include_str!("index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Lists the files of the page, by media type.
macro_rules! assets {
    ($($kind:expr => $($name:literal)*;)*) => {
        /// The files, each with its path, media type and content.
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
    (status = 200, description = "The page, without data", content_type = "text/html", body = String),
))]
pub(crate) async fn page(_: Anybody<Shared>, Mount(mount): Mount) -> Response {
    // Links in the page are relative. Without a `<base>`, they would lead to wrong paths if the
    // page is requested at a mount path without a slash at its end.
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

/// The scripts and styles of the page.
pub(crate) fn assets() -> Router<Shared> {
    ASSETS.iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(
            path,
            get(|_: Anybody<Shared>| async { Guarded(([(header::CONTENT_TYPE, *kind)], *text)) }),
        )
    })
}
