//! One page that shows it all. It has no build step, and loads nothing from elsewhere.

use axum::Router;

use super::api::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
}
