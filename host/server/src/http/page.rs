//! Pages of lists: `{items, next}`, with an opaque cursor.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use super::problem::ApiResult;

/// Which page is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// Items wanted, 1 to 200 (50).
    pub(crate) limit: Option<u32>,
    /// `next` of the last page.
    pub(crate) cursor: Option<String>,
}

/// A page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Items of a page when the caller does not say.
const DEFAULT_ITEMS: u32 = 50;

pub(crate) fn items(limit: Option<u32>) -> ApiResult<u32> {
    let most = limits::PAGE_ITEMS_MAX;
    let limit = limit.unwrap_or(DEFAULT_ITEMS);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::new(Code::MalformedParameter, format!("limit must be 1 to {most}.")).into())
}

pub(crate) fn position<T: DeserializeOwned>(cursor: Option<&String>) -> ApiResult<Option<T>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    decoded.map(Some).ok_or_else(|| {
        Problem::new(Code::MalformedParameter, "cursor is not one that you were given.").into()
    })
}

/// A position as it is given to callers.
pub(crate) fn cursor<P: Serialize>(position: &P) -> Option<String> {
    serde_json::to_vec(position).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A page of at most `limit` of the items, which were asked for with one more to see whether there is a next page.
pub(crate) fn page<R, T, P: Serialize>(
    mut rows: Vec<R>,
    limit: u32,
    position: impl Fn(&R) -> P,
    show: impl Fn(R) -> T,
) -> Page<T> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    let last = if more { rows.last().map(position) } else { None };
    let next = last.as_ref().and_then(cursor);
    Page { items: rows.into_iter().map(show).collect(), next }
}
