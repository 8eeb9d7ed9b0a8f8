//! What a request asks for, checked.

use axum::extract::{FromRequestParts, NestedPath, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::id::{GroupId, IdError};

/// The last segment of the path, decoded.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(id))
    }
}

/// The query, with nothing in it that is not known.
pub(super) struct Asked<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Asked<T>
where
    T: crate::wire::http::Asked,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// The path that the routes are mounted under, without a slash at its end; nothing where they are not.
pub(super) struct Mount(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Mount {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let nested = NestedPath::from_request_parts(parts, state).await.ok();
        let mount = nested.as_ref().map_or("", NestedPath::as_str);
        Ok(Self(mount.trim_end_matches('/').to_owned()))
    }
}

const DEFAULT_LIMIT: usize = 100;
/// The longest page.
pub(super) const MAX_LIMIT: u16 = 500;

/// How many a page may have.
pub(super) fn limit(asked: Option<u16>) -> Result<usize, Problem> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit.into()),
        Some(_) => Err(Problem::bad_request(format!("`limit` is from 1 to {MAX_LIMIT}"))),
    }
}

/// The group that is asked for.
pub(super) fn group(asked: Option<String>) -> Result<Option<String>, Problem> {
    let wrong = |error: IdError| Problem::bad_request(format!("`group`: {error}"));
    asked.map(|name| GroupId::new(&name).map(|_| name).map_err(wrong)).transpose()
}

/// Where a page begins, as a decimal number.
pub(super) fn after(asked: Option<&str>) -> Result<Option<u64>, Problem> {
    number(asked, 10)
}

/// Where a page of operations begins, as a hexadecimal number.
pub(super) fn place(asked: Option<&str>) -> Result<Option<u64>, Problem> {
    number(asked, 16)
}

fn number(asked: Option<&str>, radix: u32) -> Result<Option<u64>, Problem> {
    let wrong = || Problem::bad_request("`after` is the `next` of a page");
    // A sign is none of these.
    let number = |text: &str| {
        let digits = text.chars().all(|digit| digit.is_digit(radix) && !digit.is_uppercase());
        u64::from_str_radix(text, radix).ok().filter(|_| digits).ok_or_else(wrong)
    };
    asked.map(number).transpose()
}

/// Whether the client asks not to be kept waiting (RFC 7240, section 4.1).
pub(super) fn prefers_async(headers: &HeaderMap) -> bool {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next())
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}
