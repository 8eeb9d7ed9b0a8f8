//! Query parameters and their checks.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use super::problem::Problem;
use crate::id::{GroupId, InvalidId, PeerId};
use crate::wire::http::QueryShape;

/// The parameters of a query. Unknown parameters are refused.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: QueryShape, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// The default number of entries of a page.
const DEFAULT_LIMIT: usize = 100;
/// The greatest number of entries that may be requested for a page.
const MAX_LIMIT: u16 = 500;

/// Parses the maximum number of entries of a page.
pub(crate) fn limit(given: Option<u16>) -> Result<usize, Problem> {
    match given {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit.into()),
        Some(_) => Err(Problem::bad_request(format!("`limit` must be from 1 to {MAX_LIMIT}"))),
    }
}

/// Checks an id to filter by.
pub(crate) fn id(given: Option<String>) -> Result<Option<String>, Problem> {
    valid("id", given, |id| PeerId::new(id).map(drop))
}

/// Checks a group to filter by.
pub(crate) fn group(given: Option<String>) -> Result<Option<String>, Problem> {
    valid("group", given, |group| GroupId::new(group).map(drop))
}

fn valid(
    name: &str,
    given: Option<String>,
    check: impl FnOnce(&str) -> Result<(), InvalidId>,
) -> Result<Option<String>, Problem> {
    match given.as_deref().map(check) {
        Some(Err(error)) => Err(Problem::bad_request(format!("`{name}`: {error}"))),
        Some(Ok(())) | None => Ok(given),
    }
}

/// Parses the cursor of a page, a decimal number.
pub(crate) fn after(given: Option<&str>) -> Result<Option<u64>, Problem> {
    cursor(given, 10)
}

/// Parses the cursor of a page of operations, a hexadecimal number.
pub(crate) fn place(given: Option<&str>) -> Result<Option<u64>, Problem> {
    cursor(given, 16)
}

fn cursor(given: Option<&str>, radix: u32) -> Result<Option<u64>, Problem> {
    let wrong = || Problem::bad_request("`after` must be the value of `next` from an earlier page");
    given.map(|text| number(text, radix).ok_or_else(wrong)).transpose()
}

/// Parses a number in lower-case digits, without a sign.
pub(crate) fn number(text: &str, radix: u32) -> Option<u64> {
    let is_digit = |digit: char| digit.is_digit(radix) && !digit.is_uppercase();
    u64::from_str_radix(text, radix).ok().filter(|_| text.chars().all(is_digit))
}
