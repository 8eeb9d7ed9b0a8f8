//! The OpenAPI document, generated from the routes.

use axum::response::Response;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Server};
use utoipa::{PartialSchema, ToResponse, ToSchema};

use crate::http::edge::access::Access;
use crate::http::edge::guard::Anybody;
use crate::http::edge::request::Mount;
use crate::http::edge::response::json_text;
use crate::http::shared::Shared;
use crate::wire::http::{ProblemJson, text};

/// The document as text, completed with the problems and the token of all routes.
pub(crate) fn document_text(mut document: OpenApi, access: &Access) -> String {
    complete(&mut document, access);
    document.to_json().unwrap_or_default()
}

/// Adds the schema of problems, the token, and the responses that every request may get.
fn complete(document: &mut OpenApi, access: &Access) {
    let has_token = access.token.is_some();
    let components = document.components.get_or_insert_default();
    let (name, problem) = ProblemJson::response();
    components.responses.insert(name.to_owned(), problem);
    components.schemas.insert(ProblemJson::name().into_owned(), ProblemJson::schema());
    if has_token {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        document.security = Some(vec![SecurityRequirement::new("token", [""; 0])]);
    }
    let reads = document.paths.paths.values_mut().filter_map(|item| item.get.as_mut());
    for read in reads.filter(|_| access.open_reads) {
        read.security = Some(Vec::new());
    }
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        // Every request may be refused for its host (400, 421), its origin (403) or its token
        // (401).
        let is_public = operation.security.is_some();
        let token = (has_token && !is_public).then_some("401");
        for status in ["400", "403", "421"].into_iter().chain(token) {
            let problem = || RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.entry(status.to_owned()).or_insert_with(problem);
        }
    }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

/// The OpenAPI document of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "monitor", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub(crate) async fn document(Anybody(shared): Anybody<Shared>, Mount(mount): Mount) -> Response {
    json_text(under(&shared.document, &mount))
}

/// Adds the path that the routes are mounted under.
fn under(document: &str, mount: &str) -> String {
    let servers = text(&[Server::new(mount)]);
    match document.strip_prefix('{') {
        Some(rest) if !mount.is_empty() => format!("{{\"servers\":{servers},{rest}"),
        _ => document.to_owned(),
    }
}

/// A document without routes.
pub(crate) fn base() -> OpenApi {
    let mut info = Info::new("anypeer", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    OpenApiBuilder::new().info(info).build()
}
